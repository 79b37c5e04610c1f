"""The folders that Flyway's settings name as locations are one history."""

import pytest

from migsafe.sources import find_migrations

from .conftest import Write

SCRIPTS = {
    "src/main/resources/db/migration/V1__a.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
    "src/main/resources/db/migration/V3__c.sql": "CREATE TABLE c (id bigint PRIMARY KEY);",
    "src/main/resources/db/more/V2__b.sql": "CREATE TABLE b (id bigint PRIMARY KEY);",
    "src/main/resources/db/dev/V4__d.sql": "CREATE TABLE d (id bigint PRIMARY KEY);",
}
LIST = "      - classpath:db/migration\n      - classpath:db/more # for reports\n"
TWO = "classpath:db/migration,classpath:/db/more"


@pytest.mark.parametrize(
    "settings",
    [
        {"src/main/resources/application.properties": f"spring.flyway.locations={TWO}\n"},
        {"src/main/resources/application.yml": f"spring:\n  flyway:\n    locations: {TWO}\n"},
        {"src/main/resources/application.yml": f"spring:\n  flyway:\n    locations:\n{LIST}  jpa: 1\n"},
        {"src/main/resources/application.yml": "spring.flyway.locations: ['classpath:db/migration', \"db/more\"]\n"},
        {"src/main/resources/application.yml": f"spring.flyway.locations: ${{LOCATIONS:{TWO}}}\n"},
        {"flyway.conf": "flyway.locations=filesystem:src/main/resources/db/migration,filesystem:src/main/resources/db/more/**\n"},
        {"flyway.toml": '[flyway]\nlocations = ["classpath:db/migration", "classpath:db/more"]\n'},
        {
            "src/main/resources/application.yml": f"spring.flyway.locations: {TWO}\n---\nspring:\n  config.activate.on-profile: dev\n"
            "  flyway.locations: db/migration,db/dev\n",
            "src/main/resources/application-dev.yml": "spring.flyway.locations: db/migration,db/dev\n",
        },
        {
            "src/main/resources/application-local.yml": "spring.flyway.locations: db/migration,db/dev\n",
            "src/main/resources/application-prod.yml": f"spring.flyway.locations: {TWO}\n",
        },
    ],
)
@pytest.mark.parametrize("path", ["src/main/resources/db/migration", "src/main/resources/db/more", "src/main/resources/db/more/V2__b.sql"])
def test_several_locations_are_one_history(shop: Write, settings: dict[str, str], path: str) -> None:
    folder = shop(SCRIPTS | settings)
    (source,) = find_migrations([f"{folder}/{path}"]).sources
    versions = [(step.migration.id, step.selected) for step in source.steps()]
    assert versions == ([("1", False), ("2", True)] if path.endswith(".sql") else [("1", True), ("2", True), ("3", True)])


def test_both_locations_by_name_are_one_history(shop: Write) -> None:
    folder = shop(SCRIPTS | {"src/main/resources/application.properties": f"spring.flyway.locations={TWO}\n"})
    (source,) = find_migrations([f"{folder}/src/main/resources/db/more", f"{folder}/src/main/resources/db/migration"]).sources
    assert [migration.id for migration in source.selected()] == ["1", "2", "3"]
    assert {migration.up.script.path.rpartition("/")[0] for migration in source.selected()} == {
        f"{folder}/src/main/resources/db/more",
        f"{folder}/src/main/resources/db/migration",
    }


def test_the_folder_above_the_locations_has_their_history(shop: Write) -> None:
    names = ("common/V1__a.sql", "postgres/V2__b.sql", "h2/V3__c.sql")
    settings = {"src/main/resources/application.yml": "spring.flyway.locations: classpath:db/migration/common,db/migration/postgres\n"}
    folder = shop({f"src/main/resources/db/migration/{name}": "SELECT 1;" for name in names} | settings)
    (source,) = find_migrations([f"{folder}/src/main/resources/db/migration"]).sources
    assert [migration.id for migration in source.selected()] == ["1", "2"]
    (other,) = find_migrations([f"{folder}/src/main/resources/db/migration/h2"]).sources
    assert [migration.id for migration in other.selected()] == ["3"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"src/main/resources/application-dev.yml": "spring.flyway.locations: db/migration,db/dev\n"},
        {"src/main/resources/application.yml": "spring.flyway.locations: classpath:db/migration\n"},
        {"src/main/resources/application.yml": "spring.flyway.locations: classpath:other,classpath:missing\n"},
    ],
)
def test_other_folders_are_histories_of_their_own(shop: Write, settings: dict[str, str]) -> None:
    folder = shop(SCRIPTS | settings)
    (source,) = find_migrations([f"{folder}/src/main/resources/db/migration"]).sources
    assert [migration.id for migration in source.selected()] == ["1", "3"]


def test_a_location_in_another_module_and_one_for_the_database(shop: Write) -> None:
    folder = shop(
        {
            "core/src/main/resources/db/core/V1__a.sql": "SELECT 1;",
            "app/src/main/resources/db/app/postgresql/V2__b.sql": "SELECT 1;",
            "app/src/main/resources/db/app/h2/V2__b.sql": "SELECT 1;",
            "app/src/main/resources/application.properties": "spring.flyway.locations=classpath:db/core,classpath:db/app/{vendor}\n",
        }
    )
    (source,) = find_migrations([f"{folder}/app/src/main/resources/db"]).sources
    assert [migration.id for migration in source.selected()] == ["1", "2"]


LIBRARY = {
    "pom.xml": "<modules/>",
    "common/persistence/src/main/resources/db/migration/V1__a.sql": "SELECT 1;",
    "common/persistence/src/main/resources/db/specific/postgresql/V2__b.sql": "SELECT 1;",
    "services/upload/src/main/resources/application.yaml": "spring.flyway.locations: classpath:db/migration, classpath:db/specific/{vendor}\n",
}


def test_an_application_in_another_module_names_the_locations_of_a_library(shop: Write) -> None:
    folder = shop(LIBRARY)
    (source,) = find_migrations([f"{folder}/common/persistence/src/main/resources/db/migration"]).sources
    assert [step.migration.id for step in source.steps()] == ["1", "2"]


@pytest.mark.parametrize(
    "changed",
    [
        {"pom.xml": None},
        {"common/persistence/src/main/resources/db/specific/postgresql/V2__b.sql": None},
        {"common/persistence/src/main/resources/application.yaml": "spring.flyway.locations: classpath:db/migration\n"},
    ],
)
def test_locations_of_another_module_that_is_not_about_a_folder(shop: Write, changed: dict[str, str | None]) -> None:
    folder = shop({path: text for path, text in (LIBRARY | changed).items() if text is not None})
    (source,) = find_migrations([f"{folder}/common/persistence/src/main/resources/db/migration"]).sources
    assert [step.migration.id for step in source.steps()] == ["1"]


def test_one_location_with_a_wildcard_contains_all_folders_below_it(shop: Write) -> None:
    setting = "spring.flyway.locations: ['${LOCATIONS:db/**/*.sql}']\n"
    folder = shop({**SCRIPTS, "src/main/resources/application.yml": setting})
    (source,) = find_migrations([f"{folder}/src/main/resources/db/more"]).sources
    assert [step.migration.id for step in source.steps()] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("one/V1__a.sql", "one/V2__b.sql", "two/V1__a.sql", "two/V2__b.sql", "two/V3__c.sql"), ["one", "two"]),
        (("one/V1__a.sql", "one/V2__b.sql", "one/V3__c.sql", "two/V3__d.sql", "two/V4__e.sql", "two/V5__f.sql"), [""]),
        (("one/V1__a.sql", "two/V2__b.sql"), [""]),
    ],
)
def test_folders_that_count_again_are_histories_of_their_own(shop: Write, names: tuple[str, ...], folders: list[str]) -> None:
    folder = shop({f"server/db/migration/{name}": "SELECT 1;" for name in names})
    sources = find_migrations([folder]).sources
    assert [source.path for source in sources] == [f"{folder}/server/db/migration/{name}".rstrip("/") for name in folders]


def test_folders_that_count_again_and_are_named_together_are_one_history(shop: Write) -> None:
    names = ("one/V1__a.sql", "one/V2__b.sql", "two/V1__c.sql", "two/V2__d.sql")
    settings = {"flyway.conf": "flyway.locations=filesystem:db/migration/one,filesystem:db/migration/two\n"}
    folder = shop({f"db/migration/{name}": "SELECT 1;" for name in names} | settings)
    assert len(find_migrations([f"{folder}/db/migration"]).sources) == 1
