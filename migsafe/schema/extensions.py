"""The extensions whose functions are known."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.objects import Extension
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_CONTRIB = frozenset(
    """adminpack amcheck autoinc bloom bool_plperl bool_plperlu btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance
    file_fdw fuzzystrmatch hstore hstore_plperl hstore_plperlu hstore_plpython3u insert_username intagg intarray isn jsonb_plperl
    jsonb_plperlu jsonb_plpython3u lo ltree ltree_plpython3u moddatetime old_snapshot pageinspect pg_buffercache pg_freespacemap
    pg_logicalinspect pg_overexplain pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks
    pgstattuple plperl plperlu plpgsql plpython3u pltcl pltclu postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time
    unaccent uuid-ossp xml2 vector""".split()
)
"""The extensions that come with PostgreSQL (manual, appendix F), and pgvector: none has a function with the name of a later built-in one."""


EXTENSION_TYPES: dict[str, tuple[str, ...]] = {
    "citext": ("citext",),
    "cube": ("cube",),
    "hstore": ("hstore",),
    "isn": ("ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"),
    "lo": ("lo",),
    "ltree": ("ltree", "lquery", "ltxtquery"),
    "postgis": ("geometry", "geography", "box2d", "box3d"),
    "postgis_raster": ("raster",),
    "seg": ("seg",),
    "vector": ("vector", "halfvec", "sparsevec"),
}
"""The types of extensions of which columns are made."""

EXTENSION_FUNCTIONS: dict[str, tuple[str, ...]] = {
    "pgcrypto": ("gen_random_bytes", "gen_salt", "crypt", "digest", "hmac"),
    "uuid-ossp": (
        *("uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v3", "uuid_generate_v4", "uuid_generate_v5"),
        *("uuid_nil", "uuid_ns_dns", "uuid_ns_oid", "uuid_ns_url", "uuid_ns_x500"),
    ),
    "unaccent": ("unaccent",),
    "pg_trgm": ("similarity", "word_similarity", "strict_word_similarity", "show_trgm"),
    "fuzzystrmatch": ("levenshtein", "soundex", "metaphone", "dmetaphone", "daitch_mokotoff"),
}
"""The functions of extensions that are used in defaults, views, constraints and indexes."""

EXTENSION_OPERATOR_CLASSES: dict[str, tuple[str, ...]] = {
    "pg_trgm": ("gin_trgm_ops", "gist_trgm_ops"),
    "intarray": ("gin__int_ops", "gist__int_ops", "gist__intbig_ops"),
}
"""The operator classes of extensions for built-in types."""

BTREE_EXTENSIONS = {"btree_gin": "gin", "btree_gist": "gist"}
"""The extensions that give plain types an operator class for a method."""

PLAIN_TYPES = frozenset(
    (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid", "bytea", "text", "character varying"),
        *("character", "date", "timestamp without time zone", "timestamp with time zone", "interval", "money"),
    )
)
"""The types that have an operator class for gin or gist only with an extension."""


_IN_EVERY_DATABASE = frozenset(("plpgsql",))


def extension_named(catalog: Catalog, name: str) -> Extension | None:
    """Returns the extension of this name, if the history has created it."""
    return next((extension for extension in catalog.objects_of(Extension) if extension.name.name == name), None)


@SCHEMA_CHANGES.register(sql.CreateExtension)
def create_extension(catalog: Catalog, operation: sql.CreateExtension) -> None:
    """Records the extension, and that it may have created functions of any name."""
    name = operation.extension
    if extension_named(catalog, name) is None and name not in _IN_EVERY_DATABASE:
        catalog.store(Extension(oid=catalog.new_oid(), name=catalog.in_first_schema(Name(name, operation.schema))))
    elif not operation.if_not_exists:
        catalog.add_refusal(f'extension "{name}" already exists', help=f"CREATE EXTENSION IF NOT EXISTS {Name(name)};")
    if operation.extension not in _CONTRIB or operation.cascade:
        catalog.has_other_functions = True
        catalog.forget_dropped_functions()
