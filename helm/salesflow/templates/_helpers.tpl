{{/* Prefix of all names, truncated to leave room for suffixes of the chart and of Kubernetes. */}}
{{- define "salesflow.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Selector labels of a component: (list $ "postgresql"). The DAG sets the same labels on its pods. */}}
{{- define "salesflow.selector" -}}
app.kubernetes.io/name: salesflow
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of a server's pods: (list $ "postgresql"). Without versions, so that chart upgrades do not restart servers. */}}
{{- define "salesflow.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "salesflow.selector" . }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of an object: (list $ "postgresql") */}}
{{- define "salesflow.labels" -}}
{{- $root := index . 0 -}}
{{ include "salesflow.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Image with digest or tag: (list $ "spark") */}}
{{- define "salesflow.image" -}}
{{- $root := index . 0 -}}
{{- $image := get $root.Values.images (index . 1) -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "salesflow.pullSecrets" -}}
{{- range .Values.images.pullSecrets }}
- name: {{ . }}
{{- end }}
{{- end }}

{{/* Security context for the pod security standard `restricted`, for a given user id. */}}
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

{{/* Requests and limits as JSON, with all quantities as strings: YAML parses `cpu: 1` as a number, the DAG needs strings. */}}
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

{{/* Resources of Spark's driver or executors as JSON, with CPU quantities as strings. */}}
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

{{/* Secrets with the environment of the stages. */}}
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

{{/* Names of all Secrets of the stages, as a JSON list. */}}
{{- define "salesflow.stageSecrets" -}}
{{- $names := list (include "salesflow.postgresUrlSecret" .) (include "salesflow.clickhouseUrlSecret" .) -}}
{{- if and (eq .Values.storage.type "s3") .Values.storage.s3.existingSecret -}}
{{- $names = append $names .Values.storage.s3.existingSecret -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end }}

{{- define "salesflow.storeClaim" -}}
{{- .Values.storage.pvc.existingClaim | default (printf "%s-store" (include "salesflow.fullname" .)) -}}
{{- end }}

{{/* Affinity of all pods with the store, as JSON: that of the values, and one node for a volume that only one node can mount. */}}
{{- define "salesflow.stageAffinity" -}}
{{- $affinity := deepCopy .Values.stages.affinity -}}
{{- if and (eq .Values.storage.type "pvc") (not (has "ReadWriteMany" .Values.storage.pvc.accessModes)) -}}
  {{- $labels := dict "app.kubernetes.io/name" "salesflow" "app.kubernetes.io/instance" .Release.Name -}}
  {{- $components := dict "key" "app.kubernetes.io/component" "operator" "In" "values" (list "stage" "spark" "test") -}}
  {{- $selector := dict "matchLabels" $labels "matchExpressions" (list $components) -}}
  {{- $sameNode := dict "labelSelector" $selector "topologyKey" "kubernetes.io/hostname" -}}
  {{- $pods := get $affinity "podAffinity" | default dict -}}
  {{- $terms := get $pods "requiredDuringSchedulingIgnoredDuringExecution" | default list -}}
  {{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" (append $terms $sameNode) -}}
  {{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- $affinity | toJson -}}
{{- end }}

{{- define "salesflow.storeUrl" -}}
{{- if eq .Values.storage.type "s3" -}}
s3://{{ .Values.storage.s3.bucket }}{{ with .Values.storage.s3.prefix }}/{{ . }}{{ end }}
{{- else -}}
file://{{ .Values.storage.pvc.mountPath }}
{{- end -}}
{{- end }}

{{/* The existing value of a key in a Secret of the cluster, or else a new random one: (list $secret "key" length) */}}
{{- define "salesflow.existingOrRandom" -}}
{{- $secret := index . 0 -}}
{{- $key := index . 1 -}}
{{- if hasKey ($secret.data | default dict) $key -}}
{{ index $secret.data $key | b64dec }}
{{- else -}}
{{ randAlphaNum (index . 2) }}
{{- end -}}
{{- end }}

{{/* Metadata and type of a Secret: (list $ "name" "component"). Kept on uninstall, like the data volumes that need it. */}}
{{- define "salesflow.secretMetadata" -}}
metadata:
  name: {{ printf "%s-%s" (include "salesflow.fullname" (index . 0)) (index . 1) }}
  labels:
    {{- include "salesflow.labels" (list (index . 0) (index . 2)) | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
{{- end }}

{{/* Pod selector for components of this release: (list $ "stage" "test") */}}
{{- define "salesflow.pods" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: salesflow
    app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: {{ rest . | toJson }}}
{{- end }}

{{/* Ports of the S3 service as a JSON list: those of the values, and the port of the endpoint. */}}
{{- define "salesflow.s3Ports" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.s3Ports -}}
  {{- $ports = append $ports (int .) -}}
{{- end -}}
{{- with .Values.storage.s3.endpoint -}}
  {{- $address := urlParse . -}}
  {{- $default := ternary "443" "80" (eq $address.scheme "https") -}}
  {{- $ports = append $ports (regexFind ":[0-9]+$" $address.host | trimPrefix ":" | default $default | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end }}

{{/* Egress rules of all stage pods. */}}
{{- define "salesflow.dnsAndStores" -}}
# DNS, to any resolver.
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
{{- if eq .Values.storage.s3.credentials "workloadIdentity" }}
# The agent of EKS Pod Identity on the node. IAM roles for service accounts need port 443 of AWS STS, as the bucket does.
- to:
    - ipBlock: {cidr: 169.254.170.23/32}
    - ipBlock: {cidr: "fd00:ec2::23/128"}
  ports:
    - {port: 80, protocol: TCP}
{{- end }}
{{- end }}
{{- end }}
