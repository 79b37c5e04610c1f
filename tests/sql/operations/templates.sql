-- Template variables are names or values. Control structures of a template are skipped.
{{ if .Postgres }}
CREATE TABLE {{ .Schema }}.orders (id int, owner text DEFAULT '{{ .Owner }}');  -- expect: CreateTable
{{ end }}
ALTER TABLE "{{ index .Options "Namespace" }}".orders ADD COLUMN qty int DEFAULT ${default_qty};  -- expect: AddColumn
DROP TABLE ${schema}.app_${tenant}_log;  -- expect: Drop
INSERT INTO settings VALUES ('${kept as it is}', '{{ and this }}');  -- expect: Insert
{{ .Grants }};  -- expect: OpaqueCode
CREATE {{ .Kind }} orders_view AS SELECT 1;  -- expect: Unparsed
