#!/usr/bin/env bash
# Installs, upgrades or uninstalls the whole system in the current Kubernetes context. Idempotent.
# Runs in bash 3.2 too, which macOS has: no mapfile, no parentheses in [[ … =~ … ]], and no "${array[@]}" of an array that may be
# empty, which 3.2 takes for unset.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Versions of third-party charts; set only here.
SPARK_OPERATOR_VERSION=2.5.2
SPARK_OPERATOR_REPOSITORY=https://kubeflow.github.io/spark-operator
AIRFLOW_CHART_VERSION=1.22.0
AIRFLOW_REPOSITORY=https://airflow.apache.org
# Minimum for Airflow's chart, as MAJOR MINOR.
MIN_HELM_VERSION='3 19'

usage() {
  cat << END
Usage: install.sh install|upgrade|uninstall [options]

Three releases, in this order: spark-operator, salesflow (databases, storage, service accounts, settings), airflow.
The values are checked before any change: Airflow (values/airflow.yaml) needs the ConfigMap salesflow-dag, and the service
account and the Secret salesflow-airflow, which the salesflow chart creates by default.

  --namespace NAME              Namespace of salesflow and Airflow (default: salesflow); created if missing, with
                                the pod security standard "restricted"
  --operator-namespace NAME     Namespace of spark-operator (default: spark-operator)
  --values FILE                 Additional values for the salesflow chart; may be repeated
  --set KEY=VALUE               A single value for the salesflow chart; may be repeated
  --airflow-values FILE         Additional values for the Airflow chart, after values/airflow.yaml; may be repeated
  --spark-operator-values FILE  Additional values for the spark-operator chart; may be repeated
  --skip-airflow                Airflow is managed elsewhere
  --skip-spark-operator         spark-operator is managed elsewhere, and watches the namespace
  --airflow-chart PATH          Directory or archive of the chart, instead of $AIRFLOW_REPOSITORY
  --spark-operator-chart PATH   Directory or archive of the chart, instead of $SPARK_OPERATOR_REPOSITORY
  --timeout DURATION            Timeout per release (default: 10m)
  --purge                       With uninstall: also delete the data (volumes) and the passwords
  --help                        Show this help

install also upgrades existing releases; upgrade requires that all releases exist, unless skipped. Values of earlier calls
are not reused: pass the same files every time. uninstall keeps the data: see the notes of the salesflow chart.

Installations in several namespaces share one spark-operator, with the options of the last call: it watches all of them, and goes
with the last one.
END
}

print_step() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
usage_error() { printf 'error: %s\nSee: install.sh --help\n' "$*" >&2; exit 2; }

namespace=salesflow
operator_namespace=spark-operator
timeout=10m
skip_airflow='' skip_operator='' airflow_chart='' operator_chart='' purge=''
salesflow_values=() airflow_values=() operator_values=()

parse_options() {
  local option
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      --skip-airflow) skip_airflow=1; shift; continue ;;
      --skip-spark-operator) skip_operator=1; shift; continue ;;
      --purge) purge=1; shift; continue ;;
      --help | -h) usage; exit 0 ;;
      --*) [ $# -ge 2 ] || usage_error "$option needs a value" ;;
      *) usage_error "unexpected argument: $option" ;;
    esac
    case $option in
      --namespace) namespace=$2 ;;
      --operator-namespace) operator_namespace=$2 ;;
      --timeout) timeout=$2 ;;
      --values) salesflow_values+=(--values "$2") ;;
      --set) salesflow_values+=(--set "$2") ;;
      --airflow-values) airflow_values+=(--values "$2") ;;
      --spark-operator-values) operator_values+=(--values "$2") ;;
      --airflow-chart) airflow_chart=$2 ;;
      --spark-operator-chart) operator_chart=$2 ;;
      *) usage_error "unknown option: $option" ;;
    esac
    shift 2
  done
}

# select_chart PATH NAME REPOSITORY VERSION: sets `chart` to helm's arguments for a local path, or else for the pinned version
# from its repository.
select_chart() {
  if [ -n "$1" ]; then chart=("$1"); else chart=("$2" --repo "$3" --version "$4"); fi
}

require_releases() {
  local release place
  for release in spark-operator salesflow airflow; do
    place=$namespace
    case $release in
      spark-operator) [ -z "$skip_operator" ] || continue; place=$operator_namespace ;;
      airflow) [ -z "$skip_airflow" ] || continue ;;
    esac
    helm status "$release" --namespace "$place" > /dev/null 2>&1 ||
      fail "no release $release in the namespace $place to upgrade: use install.sh install, or --skip-$release if it is" \
        "managed elsewhere"
  done
}

# Lists the objects that the salesflow chart renders: KIND/NAME, and Secret/NAME/KEY for the keys of Secrets.
list_objects() {
  helm template salesflow "$here/salesflow" --namespace "$namespace" ${kubernetes:+--kube-version "$kubernetes"} \
    ${salesflow_values[@]+"${salesflow_values[@]}"} | awk '
      /^---/ { kind = name = "" }
      /^kind: / { kind = $2 }
      /^  name: / && name == "" { name = $2; print kind "/" name }
      /^  [a-z-]+: ./ && kind == "Secret" && name != "" { sub(":", "", $1); print kind "/" name "/" $1 }'
}

# airflow_values_set KEY: whether a file of --airflow-values contains the key, at any depth.
airflow_values_set() {
  local word
  for word in ${airflow_values[@]+"${airflow_values[@]}"}; do
    [ "$word" = --values ] || ! grep -Eq "^([^#]*[^#A-Za-z])?$1:" "$word" || return 0
  done
  return 1
}

# has OBJECT: whether the salesflow chart creates it.
has() { grep -qx "$1" <<< "$created"; }

require_helm_version() {
  local version major minor pattern='^v([0-9]+)\.([0-9]+)'
  version=$(helm version --template '{{.Version}}')
  read -r major minor <<< "$MIN_HELM_VERSION"
  [[ $version =~ $pattern ]] || fail "cannot parse the version of helm: $version"
  ((BASH_REMATCH[1] > major || (BASH_REMATCH[1] == major && BASH_REMATCH[2] >= minor))) ||
    fail "helm is $version, and Airflow's chart needs $major.$minor or newer: upgrade helm, or use --skip-airflow"
}

# Fails unless the objects that values/airflow.yaml, or a file after it, refers to will exist.
require_airflow_objects() {
  has ConfigMap/salesflow-dag ||
    fail "with these values the chart creates no ConfigMap salesflow-dag, which Airflow needs: remove fullnameOverride and" \
      "airflow.enabled=false, or use --skip-airflow and install Airflow yourself, with a copy of" \
      "$here/values/airflow.yaml that has the other names"
  has ServiceAccount/salesflow-airflow || airflow_values_set serviceAccount ||
    fail "with these values the chart creates no service account salesflow-airflow: remove airflow.serviceAccount, or set" \
      "scheduler.serviceAccount.name in a file for --airflow-values"
  has Secret/salesflow-airflow || { require_airflow_secret; return; }
  has Secret/salesflow-airflow/connection || airflow_values_set metadataSecretName ||
    fail "with airflow.database.create=false Airflow has no database: remove it, or set data.metadataSecretName to a Secret" \
      "with the key connection in a file for --airflow-values"
}

# For secrets.create=false: fails unless the Secret of Airflow exists with all keys.
require_airflow_secret() {
  local key keys
  keys=$(kubectl get secret salesflow-airflow --namespace "$namespace" \
    --output 'go-template={{range $key, $_ := .data}}{{$key}} {{end}}' 2> /dev/null) || keys=''
  for key in connection fernet-key api-secret-key jwt-secret admin-password; do
    [[ " $keys" = *" $key "* ]] || { [ $key = connection ] && airflow_values_set metadataSecretName; } ||
      fail "with secrets.create=false the Secret salesflow-airflow must exist in the namespace $namespace, but it has no key" \
        "$key: create it, or use --skip-airflow"
  done
}

install_namespace() {
  kubectl get namespace "$namespace" > /dev/null 2>&1 && return
  # Created with its labels in one step. An existing namespace is not changed.
  kubectl apply --filename - << END
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
END
}

# Fails when another namespace has the operator: its cluster-wide roles can exist only once.
require_operator_place() {
  local elsewhere
  elsewhere=$(helm list --all-namespaces --filter '^spark-operator$' |
    awk -v ours="$operator_namespace" 'NR > 1 && $2 != ours { print $2; exit }') || fail "helm cannot list the releases of the cluster"
  [ -z "$elsewhere" ] ||
    fail "spark-operator is already installed in the namespace $elsewhere: share it with --operator-namespace $elsewhere, or use" \
      "--skip-spark-operator if it is managed elsewhere, and watches $namespace"
}

# Prints the other namespaces that the installed operator watches and that still exist, one a line; * stands for all.
list_other_namespaces() {
  local installed watched each
  installed=$(helm list --namespace "$operator_namespace" --filter '^spark-operator$' --short)
  [ -n "$installed" ] || return 0
  watched=$(helm get values spark-operator --namespace "$operator_namespace" --all --output json |
    sed -n 's/.*"jobNamespaces": *\[\([^]]*\)\].*/\1/p' | tr ',' '\n' | sed 's/^ *"\(.*\)" *$/\1/; s/^$/*/')
  while read -r each; do
    [ -n "$each" ] && [ "$each" != "$namespace" ] || continue
    [ "$each" = '*' ] || kubectl get namespace "$each" > /dev/null 2>&1 || continue
    printf '%s\n' "$each"
  done <<< "$watched"
}

# to_job_namespaces NAMES: the value spark.jobNamespaces for --set-json, from lines of list_other_namespaces.
to_job_namespaces() {
  printf 'spark.jobNamespaces=[%s]' "$(sed '/^$/d; s/^\*$//; s/.*/"&"/' <<< "$1" | paste -s -d , -)"
}

install_operator() {
  local chart others
  others=$(list_other_namespaces) || fail "helm cannot read the release spark-operator in the namespace $operator_namespace"
  select_chart "$operator_chart" spark-operator "$SPARK_OPERATOR_REPOSITORY" "$SPARK_OPERATOR_VERSION"
  print_step "spark-operator"
  # helm only installs CRDs with the first release of a chart and never upgrades them.
  helm show crds "${chart[@]}" | kubectl apply --server-side --force-conflicts --filename - > /dev/null
  helm upgrade "${install[@]}" spark-operator "${chart[@]}" \
    --namespace "$operator_namespace" --create-namespace --values "$here/values/spark-operator.yaml" \
    --set-json "$(to_job_namespaces "$others
$namespace")" ${operator_values[@]+"${operator_values[@]}"} \
    --wait --timeout "$timeout" > /dev/null
}

install_salesflow() {
  print_step "salesflow"
  # Without --wait, which would wait for the store's volume; many storage classes only provision it for the first pod.
  helm upgrade "${install[@]}" salesflow "$here/salesflow" \
    --namespace "$namespace" ${salesflow_values[@]+"${salesflow_values[@]}"} --timeout "$timeout"
  local server
  for server in $(kubectl get statefulset --namespace "$namespace" --output name \
    --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow); do
    kubectl rollout status "$server" --namespace "$namespace" --timeout "$timeout"
  done
}

install_airflow() {
  local chart settings part
  select_chart "$airflow_chart" airflow "$AIRFLOW_REPOSITORY" "$AIRFLOW_CHART_VERSION"
  print_step "airflow"
  # Changes with every change of the settings, so that Airflow's pods restart then and only then.
  settings=$(kubectl get configmap salesflow-dag --namespace "$namespace" --output jsonpath='{.metadata.resourceVersion}')
  # Without --wait: the pods wait for the database migration, which is a post-install hook of the chart.
  helm upgrade "${install[@]}" airflow "${chart[@]}" \
    --namespace "$namespace" --values "$here/values/airflow.yaml" ${airflow_values[@]+"${airflow_values[@]}"} \
    --set-string "airflowPodAnnotations.salesflow\.settings=$settings" --timeout "$timeout" > /dev/null
  for part in $(kubectl get deployment,statefulset --namespace "$namespace" --selector release=airflow --output name); do
    kubectl rollout status "$part" --namespace "$namespace" --timeout "$timeout"
  done
}

# uninstall_release RELEASE NAMESPACE: waits until its pods are deleted, so that they cannot interfere with a new release.
uninstall_release() {
  helm uninstall "$1" --namespace "$2" --ignore-not-found --cascade foreground --wait --timeout "$timeout"
}

# Leaves the operator to the other installations that use it.
uninstall_operator() {
  local chart others
  others=$(list_other_namespaces) || fail "helm cannot read the release spark-operator in the namespace $operator_namespace"
  [ -n "$others" ] || { uninstall_release spark-operator "$operator_namespace"; return; }
  print_step "spark-operator stays, because it also watches" $others
  select_chart "$operator_chart" spark-operator "$SPARK_OPERATOR_REPOSITORY" "$SPARK_OPERATOR_VERSION"
  helm upgrade --reuse-values spark-operator "${chart[@]}" --namespace "$operator_namespace" \
    --set-json "$(to_job_namespaces "$others")" --wait --timeout "$timeout" > /dev/null
}

uninstall() {
  [ -n "$skip_airflow" ] || uninstall_release airflow "$namespace"
  # Stage pods that Airflow left, and the pod of `helm test`, which helm keeps; SparkApplications before their operator.
  kubectl delete pods --namespace "$namespace" --timeout "$timeout" \
    --selector 'app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow,app.kubernetes.io/component in (stage,test)'
  if kubectl get crd sparkapplications.sparkoperator.k8s.io > /dev/null 2>&1; then
    kubectl delete sparkapplications --namespace "$namespace" --timeout "$timeout" \
      --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow
  fi
  uninstall_release salesflow "$namespace"
  [ -n "$skip_operator" ] || uninstall_operator
  [ -n "$purge" ] || return 0
  kubectl delete persistentvolumeclaims,secrets --namespace "$namespace" --wait=false \
    --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow
  # Airflow's chart creates Secrets as hooks, which helm does not delete.
  [ -n "$skip_airflow" ] ||
    kubectl delete persistentvolumeclaims,secrets --namespace "$namespace" --selector release=airflow --wait=false
}

action=${1:-}
case $action in
  install | upgrade | uninstall) shift ;;
  --help | -h) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
  *) usage_error "unknown action: $action" ;;
esac
parse_options "$@"
[ -z "$purge" ] || [ "$action" = uninstall ] || usage_error "--purge is only valid with uninstall"
for tool in helm kubectl; do command -v $tool > /dev/null || fail "$tool is not installed"; done
kubernetes=$(kubectl version --output json 2> /dev/null) ||
  fail "kubectl cannot reach a cluster: check kubectl config current-context"
kubernetes=$(sed -n '/"serverVersion"/,$ s/.*"gitVersion": "\(v[0-9.]*\).*/\1/p' <<< "$kubernetes")

if [ "$action" = uninstall ]; then
  uninstall
  exit
fi
install=(--reset-values)
[ "$action" = upgrade ] || install+=(--install)
# All checks come before the first change.
[ "$action" = install ] || require_releases
[ -n "$skip_operator" ] || require_operator_place
created=$(list_objects) || fail "the salesflow chart rejects these values"
[ -n "$skip_airflow" ] || { require_helm_version; require_airflow_objects; }
install_namespace
[ -n "$skip_operator" ] || install_operator
install_salesflow
[ -n "$skip_airflow" ] || install_airflow
