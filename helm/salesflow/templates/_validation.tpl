{{/*
Rejects invalid combinations of values, which the schema cannot express. Reports all of them at once.
*/}}
{{- define "salesflow.validateValues" -}}
{{- $v := .Values -}}
{{- $mistakes := list -}}

{{- if eq $v.storage.type "s3" -}}
  {{- if not $v.storage.s3.bucket -}}
    {{- $mistakes = append $mistakes "storage.s3.bucket is empty: storage.type is s3, which needs a bucket" -}}
  {{- end -}}
  {{- if and (eq $v.storage.s3.credentials "secret") (not $v.storage.s3.existingSecret) -}}
    {{- $mistakes = append $mistakes "storage.s3.existingSecret is empty: storage.type is s3, which needs a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or storage.s3.credentials=workloadIdentity" -}}
  {{- end -}}
  {{- if and (eq $v.storage.s3.credentials "workloadIdentity") $v.storage.s3.existingSecret -}}
    {{- $mistakes = append $mistakes "storage.s3.existingSecret is set, but storage.s3.credentials is workloadIdentity: its keys would be used instead of the role" -}}
  {{- end -}}
  {{- if $v.storage.pvc.existingClaim -}}
    {{- $mistakes = append $mistakes "storage.pvc.existingClaim is set, but storage.type is s3: the claim would be unused" -}}
  {{- end -}}
{{- else -}}
  {{- if $v.storage.s3.bucket -}}
    {{- $mistakes = append $mistakes "storage.s3.bucket is set, but storage.type is pvc: set storage.type to s3, or remove the bucket" -}}
  {{- end -}}
{{- end -}}

{{- range $name, $variable := dict "postgresql" "SALESFLOW_POSTGRES_URL" "clickhouse" "SALESFLOW_CLICKHOUSE_URL" -}}
  {{- $server := get $v $name -}}
  {{- if and $server.enabled $server.external.existingSecret -}}
    {{- $mistakes = append $mistakes (printf "%s.external.existingSecret is set, but %s.enabled is true: use one or the other" $name $name) -}}
  {{- end -}}
  {{- if not (or $server.enabled $server.external.existingSecret) -}}
    {{- $mistakes = append $mistakes (printf "%s.external.existingSecret is empty, but %s.enabled is false: set it to a Secret with %s" $name $name $variable) -}}
  {{- end -}}
{{- end -}}

{{- if $v.postgresql.enabled -}}
  {{- $major := regexFind "^[0-9]+" $v.images.postgresql.tag -}}
  {{- if and $major (lt (atoi $major) 18) -}}
    {{- $mistakes = append $mistakes (printf "images.postgresql.tag is %s, but the image stores its data in the volume only since version 18: use 18 or later, or an external server" $v.images.postgresql.tag) -}}
  {{- end -}}
{{- end -}}

{{- if and $v.airflow.enabled $v.airflow.database.create (not $v.postgresql.enabled) -}}
  {{- $mistakes = append $mistakes "airflow.database.create is true, but postgresql.enabled is false: the chart creates Airflow's database in its own PostgreSQL only" -}}
{{- end -}}
{{- if and $v.airflow.serviceAccount.create $v.airflow.serviceAccount.namespace (ne $v.airflow.serviceAccount.namespace .Release.Namespace) -}}
  {{- $mistakes = append $mistakes "airflow.serviceAccount.namespace is set, but airflow.serviceAccount.create is true: the chart creates it in the release's namespace only" -}}
{{- end -}}
{{- if and (not $v.airflow.serviceAccount.create) (not $v.airflow.serviceAccount.name) -}}
  {{- $mistakes = append $mistakes "airflow.serviceAccount.name is empty, but airflow.serviceAccount.create is false: set it to the name of an existing account" -}}
{{- end -}}

{{- with $v.pipeline.source -}}
  {{- if hasPrefix "s3://" .name -}}
    {{- if .files -}}
      {{- $mistakes = append $mistakes "pipeline.source.files is set, but pipeline.source.name is in a bucket, where its lookup tables must be, too" -}}
    {{- end -}}
  {{- else if and .name (not (hasKey .files .name)) -}}
    {{- $mistakes = append $mistakes (printf "pipeline.source.name is %s, but pipeline.source.files has no such file" .name) -}}
  {{- else if and .files (not .name) -}}
    {{- $mistakes = append $mistakes "pipeline.source.files is set, but pipeline.source.name is empty: it says which of them is the source file" -}}
  {{- end -}}
{{- end -}}

{{- with $v.spark.dynamicAllocation -}}
  {{- if and .enabled (gt (int .minExecutors) (int .maxExecutors)) -}}
    {{- $mistakes = append $mistakes (printf "spark.dynamicAllocation.minExecutors (%d) is above maxExecutors (%d)" (int .minExecutors) (int .maxExecutors)) -}}
  {{- end -}}
{{- end -}}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
  {{- if or (hasKey $v.stages.labels $label) (hasKey $v.commonLabels $label) -}}
    {{- $mistakes = append $mistakes (printf "%s cannot be set in commonLabels or stages.labels: the chart uses it to select pods" $label) -}}
  {{- end -}}
{{- end -}}
{{- range $variable := list "SALESFLOW_POSTGRES_URL" "SALESFLOW_CLICKHOUSE_URL" "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" -}}
  {{- if hasKey $v.stages.env $variable -}}
    {{- $mistakes = append $mistakes (printf "stages.env.%s is a secret: values are stored unencrypted, so put it in a Secret" $variable) -}}
  {{- end -}}
{{- end -}}
{{- $managed := dict "HOME" "the chart" "SALESFLOW_HOME" "the chart" "SALESFLOW_RUN_ID" "the DAG" "SALESFLOW_AS_OF" "the DAG"
    "SALESFLOW_STORE" "storage" "SALESFLOW_S3_ENDPOINT" "storage.s3.endpoint" "AWS_REGION" "storage.s3.region"
    "SALESFLOW_ROWS" "pipeline.rows" "SALESFLOW_SEED" "pipeline.seed"
    "SALESFLOW_SOURCE" "pipeline.source" -}}
{{- range $variable, $by := $managed -}}
  {{- if hasKey $v.stages.env $variable -}}
    {{- $mistakes = append $mistakes (printf "stages.env.%s cannot be set: it is managed by %s" $variable $by) -}}
  {{- end -}}
{{- end -}}
{{- range $property := list "spark.kubernetes.namespace" "spark.kubernetes.authenticate.driver.serviceAccountName" -}}
  {{- if hasKey $v.spark.conf $property -}}
    {{- $mistakes = append $mistakes (printf "spark.conf.%s cannot be set: it is managed by the chart" $property) -}}
  {{- end -}}
{{- end -}}

{{- if $mistakes -}}
  {{- fail (printf "\n\nInvalid values:\n- %s\n" (join "\n- " $mistakes)) -}}
{{- end -}}
{{- end }}
