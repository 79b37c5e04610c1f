"""Features that the server's release does not have yet, and names that it does not accept any more."""

from migsafe.schema.catalog import Catalog
from migsafe.sql.features import Feature
from migsafe.sql.operations import FeatureUse


def newer_feature(operation: FeatureUse, catalog: Catalog) -> Feature | None:
    """Returns the feature that an operation uses if the server's release refuses it; None otherwise.

    A branch of a DO block may have checked the version before, and an exception handler may catch the error. A function of the same name that
    a migration, an extension or opaque code has created answers a call.
    """
    feature = operation.feature
    if not _is_refused(feature, catalog.pg_version) or not operation.certain or operation.caught:
        return None
    if operation.releases is not None and catalog.pg_version not in operation.releases:
        return None
    return None if feature.function and not _has_no_function(catalog, feature.function) else feature


def _is_refused(feature: Feature, pg_version: int) -> bool:
    if feature.is_removed:
        return pg_version >= feature.release
    return feature.refused_from <= pg_version < feature.release


def _has_no_function(catalog: Catalog, name: str) -> bool:
    """Whether no function of this name can exist besides those of PostgreSQL."""
    if not (catalog.complete or catalog.origin.made_all) or catalog.has_other_functions:
        return False
    return not catalog.has_function_named(name)


def missing_feature(feature: Feature) -> str:
    """Returns why a release refuses the feature, as a sentence without a full stop."""
    if feature.is_removed:
        return f"{feature.text} is not valid from PostgreSQL {feature.release} on"
    return f"{feature.text} exists from PostgreSQL {feature.release}"
