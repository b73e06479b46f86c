{{/* Prefix of all names. Short enough for the longest suffix and for what Kubernetes adds to it. */}}
{{- define "salesflow.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What selects the pods of a component: (list $ "postgresql"). The DAG gives its pods the same labels. */}}
{{- define "salesflow.selector" -}}
app.kubernetes.io/name: salesflow
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of a server's pods: (list $ "postgresql"). Without versions, or each new chart would restart the servers. */}}
{{- define "salesflow.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "salesflow.selector" . }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of an object: (list $ "postgresql"). */}}
{{- define "salesflow.labels" -}}
{{- $root := index . 0 -}}
{{ include "salesflow.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* (list $ "spark") */}}
{{- define "salesflow.image" -}}
{{- $root := index . 0 -}}
{{- $image := get $root.Values.images (index . 1) -}}
{{- printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion) -}}
{{- end }}

{{- define "salesflow.pullSecrets" -}}
{{- range .Values.images.pullSecrets }}
- name: {{ . }}
{{- end }}
{{- end }}

{{/* Pod security standard `restricted`, for a pod that runs as the given user. */}}
{{- define "salesflow.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "salesflow.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Requests and limits, as JSON. Every amount becomes a text: YAML reads `cpu: 1` as a number, and the DAG wants texts. */}}
{{- define "salesflow.resources" -}}
{{- $all := dict -}}
{{- range $kind, $amounts := . -}}
  {{- $texts := dict -}}
  {{- range $name, $amount := $amounts -}}
    {{- $_ := set $texts $name (toString $amount) -}}
  {{- end -}}
  {{- $_ := set $all $kind $texts -}}
{{- end -}}
{{- $all | toJson -}}
{{- end }}

{{/* Spark's driver or executors, as JSON, with the same for their CPUs. */}}
{{- define "salesflow.sparkPod" -}}
{{- $pod := deepCopy . -}}
{{- range $name := list "coreRequest" "coreLimit" -}}
  {{- if hasKey $pod $name -}}
    {{- $_ := set $pod $name (get $pod $name | toString) -}}
  {{- end -}}
{{- end -}}
{{- $pod | toJson -}}
{{- end }}

{{- define "salesflow.airflowServiceAccount" -}}
{{- .Values.airflow.serviceAccount.name | default (printf "%s-airflow" (include "salesflow.fullname" .)) -}}
{{- end }}

{{/* Secrets and ConfigMaps from which stages take their environment. */}}
{{- define "salesflow.postgresUrlSecret" -}}
{{- if .Values.postgresql.enabled -}}
{{ include "salesflow.fullname" . }}-postgresql-url
{{- else -}}
{{ .Values.postgresql.external.existingSecret }}
{{- end -}}
{{- end }}

{{- define "salesflow.clickhouseUrlSecret" -}}
{{- if .Values.clickhouse.enabled -}}
{{ include "salesflow.fullname" . }}-clickhouse-url
{{- else -}}
{{ .Values.clickhouse.external.existingSecret }}
{{- end -}}
{{- end }}

{{/* Names of all Secrets, as a JSON list. */}}
{{- define "salesflow.stageSecrets" -}}
{{- $names := list (include "salesflow.postgresUrlSecret" .) (include "salesflow.clickhouseUrlSecret" .) -}}
{{- if eq .Values.storage.type "s3" -}}
{{- $names = append $names .Values.storage.s3.existingSecret -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end }}

{{- define "salesflow.storeClaim" -}}
{{- .Values.storage.pvc.existingClaim | default (printf "%s-store" (include "salesflow.fullname" .)) -}}
{{- end }}

{{- define "salesflow.storeUrl" -}}
{{- if eq .Values.storage.type "s3" -}}
s3://{{ .Values.storage.s3.bucket }}{{ with .Values.storage.s3.prefix }}/{{ . }}{{ end }}
{{- else -}}
file://{{ .Values.storage.pvc.mountPath }}
{{- end -}}
{{- end }}

{{/* A value of a Secret in the cluster; a new random one when there is none: (list $secret "key" length). */}}
{{- define "salesflow.kept" -}}
{{- $secret := index . 0 -}}
{{- $key := index . 1 -}}
{{- if hasKey ($secret.data | default dict) $key -}}
{{ index $secret.data $key | b64dec }}
{{- else -}}
{{ randAlphaNum (index . 2) }}
{{- end -}}
{{- end }}

{{/*
Head of a Secret: (list $ "name" "component"). Uninstalling leaves the data volumes, so it leaves the passwords
that open them.
*/}}
{{- define "salesflow.secretMetadata" -}}
metadata:
  name: {{ printf "%s-%s" (include "salesflow.fullname" (index . 0)) (index . 1) }}
  labels:
    {{- include "salesflow.labels" (list (index . 0) (index . 2)) | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
{{- end }}

{{/* Pods of this release in one of the components: (list $ "stage" "test"). */}}
{{- define "salesflow.pods" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: salesflow
    app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: {{ rest . | toJson }}}
{{- end }}

{{/* Ports of the bucket, as a JSON list: the ones of the values, and the one that its address names. */}}
{{- define "salesflow.s3Ports" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.s3Ports -}}
  {{- $ports = append $ports (int .) -}}
{{- end -}}
{{- with .Values.storage.s3.endpoint -}}
  {{- $address := urlParse . -}}
  {{- $usual := ternary "443" "80" (eq $address.scheme "https") -}}
  {{- $ports = append $ports (regexFind ":[0-9]+$" $address.host | trimPrefix ":" | default $usual | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end }}

{{/* Egress that every pod of a run needs. */}}
{{- define "salesflow.dnsAndStores" -}}
# Names are resolved by whatever the cluster uses for it.
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- if .Values.postgresql.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "salesflow.selector" (list . "postgresql") | nindent 10 }}
  ports:
    - {port: 5432, protocol: TCP}
{{- end }}
{{- if or (not .Values.postgresql.enabled) (not .Values.clickhouse.enabled) }}
- ports:
    {{- range .Values.networkPolicy.externalDatabasePorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- if eq .Values.storage.type "s3" }}
- ports:
    {{- range include "salesflow.s3Ports" . | fromJsonArray }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}
