"""Features that the server's release does not have yet."""

from migsafe.schema.catalog import Catalog
from migsafe.sql.features import Feature
from migsafe.sql.operations import FeatureUse


def newer_feature(operation: FeatureUse, catalog: Catalog) -> Feature | None:
    """Returns the feature that an operation uses if the server refuses it because its release does not have it; None otherwise.

    A branch of a DO block may have checked the version before, and an exception handler may catch the error. A function of the same name that
    a migration, an extension or opaque code has created answers a call.
    """
    feature = operation.feature
    if not feature.refused_from <= catalog.pg_version < feature.release or not operation.certain or operation.caught:
        return None
    if operation.releases is not None and catalog.pg_version not in operation.releases:
        return None
    return None if feature.function and not _has_no_function(catalog, feature.function) else feature


def _has_no_function(catalog: Catalog, name: str) -> bool:
    """Whether no function of this name can exist besides those of PostgreSQL."""
    if not (catalog.complete or catalog.origin.made_all) or catalog.has_other_functions:
        return False
    return not catalog.has_function_named(name)


def missing_feature(feature: Feature) -> str:
    """Returns why a release without the feature refuses it, as a sentence without a full stop."""
    return f"{feature.text} exists from PostgreSQL {feature.release}"
