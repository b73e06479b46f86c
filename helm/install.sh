#!/usr/bin/env bash
# Installs, upgrades or uninstalls the whole system on the current Kubernetes context. Can be repeated.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The only place with the versions of other people's charts.
SPARK_OPERATOR_VERSION=2.3.0
SPARK_OPERATOR_REPOSITORY=https://kubeflow.github.io/spark-operator
AIRFLOW_CHART_VERSION=1.22.0
AIRFLOW_REPOSITORY=https://airflow.apache.org
# What Airflow's chart asks for, as MAJOR MINOR.
AIRFLOW_CHART_NEEDS_HELM='3 19'

usage() {
  cat << END
Usage: install.sh install|upgrade|uninstall [options]

Three releases, in this order: spark-operator, salesflow (databases, storage, accounts, settings), airflow.
Before anything is changed, the values are looked at: Airflow (values/airflow.yaml) needs the ConfigMap salesflow-dag, the
account and the Secret salesflow-airflow, which the salesflow chart makes unless its values say otherwise.

  --namespace NAME              Namespace of salesflow and Airflow (default: salesflow); created when missing,
                                with the pod security standard "restricted"
  --operator-namespace NAME     Namespace of spark-operator (default: spark-operator)
  --values FILE                 More values for the salesflow chart; may be repeated
  --set KEY=VALUE               The same for a single value; may be repeated
  --airflow-values FILE         More values for the Airflow chart, after values/airflow.yaml; may be repeated
  --spark-operator-values FILE  More values for the spark-operator chart; may be repeated
  --skip-airflow                Airflow is there already, or comes from elsewhere
  --skip-spark-operator         spark-operator is there already, and watches the namespace
  --airflow-chart PATH          Folder or archive of the chart, instead of $AIRFLOW_REPOSITORY
  --spark-operator-chart PATH   Folder or archive of the chart, instead of $SPARK_OPERATOR_REPOSITORY
  --timeout DURATION            For each release (default: 10m)
  --purge                       With uninstall: also remove the data (volumes) and the passwords
  --help                        Show this help

upgrade wants all releases that are not skipped to be there, install takes either. Values come from this call only: give the same files every time.
uninstall leaves the data: see the notes of the salesflow chart.
END
}

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
wrong() { printf 'error: %s\nSee: install.sh --help\n' "$*" >&2; exit 2; }

namespace=salesflow
operator_namespace=spark-operator
timeout=10m
skip_airflow='' skip_operator='' airflow_chart='' operator_chart='' purge=''
salesflow_values=() airflow_values=() operator_values=()

read_options() {
  local option
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      --skip-airflow) skip_airflow=1; shift; continue ;;
      --skip-spark-operator) skip_operator=1; shift; continue ;;
      --purge) purge=1; shift; continue ;;
      --help | -h) usage; exit 0 ;;
      --*) [ $# -ge 2 ] || wrong "$option needs a value" ;;
      *) wrong "there is no argument $option" ;;
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
      *) wrong "there is no option $option" ;;
    esac
    shift 2
  done
}

# Prints the arguments that name a chart to helm: a path as it is, or a repository's chart in the pinned version.
chart() { # chart PATH NAME REPOSITORY VERSION
  if [ -n "$1" ]; then printf '%s\n' "$1"; else printf '%s\n' "$2" --repo "$3" --version "$4"; fi
}

expect_releases() {
  local release place
  for release in spark-operator salesflow airflow; do
    place=$namespace
    case $release in
      spark-operator) [ -z "$skip_operator" ] || continue; place=$operator_namespace ;;
      airflow) [ -z "$skip_airflow" ] || continue ;;
    esac
    helm status "$release" --namespace "$place" > /dev/null 2>&1 ||
      fail "there is no release $release in the namespace $place to upgrade: use install.sh install" \
        "(or --skip-$release, where it comes from elsewhere)"
  done
}

# What the salesflow chart makes of the values: KIND/NAME, and Secret/NAME/KEY for the keys of Secrets.
objects() {
  helm template salesflow "$here/salesflow" --namespace "$namespace" ${kubernetes:+--kube-version "$kubernetes"} \
    "${salesflow_values[@]}" | awk '
      /^---/ { kind = name = "" }
      /^kind: / { kind = $2 }
      /^  name: / && name == "" { name = $2; print kind "/" name }
      /^  [a-z-]+: ./ && kind == "Secret" && name != "" { sub(":", "", $1); print kind "/" name "/" $1 }'
}

# airflow_values_say KEY: whether a file of --airflow-values has it, at any depth.
airflow_values_say() {
  local word
  for word in "${airflow_values[@]}"; do
    [ "$word" = --values ] || ! grep -Eq "^[^#]*\b$1:" "$word" || return 0
  done
  return 1
}

# has OBJECT: whether the salesflow chart makes it.
has() { grep -qx "$1" <<< "$made"; }

expect_helm() {
  local version major minor
  version=$(helm version --template '{{.Version}}')
  read -r major minor <<< "$AIRFLOW_CHART_NEEDS_HELM"
  [[ $version =~ ^v([0-9]+)\.([0-9]+) ]] || fail "cannot read helm's version: $version"
  ((BASH_REMATCH[1] > major || (BASH_REMATCH[1] == major && BASH_REMATCH[2] >= minor))) ||
    fail "helm is $version, and Airflow's chart needs $major.$minor or newer: upgrade helm, or use --skip-airflow"
}

# Fails unless Airflow will find what values/airflow.yaml, or a file after it, names.
expect_airflow_parts() {
  has ConfigMap/salesflow-dag ||
    fail "with these values there is no ConfigMap salesflow-dag, from which Airflow takes its settings: leave out" \
      "fullnameOverride and airflow.enabled=false, or use --skip-airflow and bring Airflow yourself, with a copy of" \
      "$here/values/airflow.yaml that has the other names"
  has ServiceAccount/salesflow-airflow || airflow_values_say serviceAccount ||
    fail "with these values the chart makes no account salesflow-airflow: leave out airflow.serviceAccount, or name the" \
      "account as scheduler.serviceAccount.name in a file for --airflow-values"
  has Secret/salesflow-airflow || { expect_own_secret; return; }
  has Secret/salesflow-airflow/connection || airflow_values_say metadataSecretName ||
    fail "with airflow.database.create=false Airflow has no database: leave it out, or name a Secret with the key connection" \
      "as data.metadataSecretName in a file for --airflow-values"
}

# With secrets.create=false.
expect_own_secret() {
  local key keys
  keys=$(kubectl get secret salesflow-airflow --namespace "$namespace" \
    --output 'go-template={{range $key, $_ := .data}}{{$key}} {{end}}' 2> /dev/null) || keys=''
  for key in connection fernet-key api-secret-key jwt-secret admin-password; do
    [[ " $keys" = *" $key "* ]] || { [ $key = connection ] && airflow_values_say metadataSecretName; } ||
      fail "with secrets.create=false the Secret salesflow-airflow must be in the namespace $namespace before, and it lacks" \
        "the key $key: make it, or use --skip-airflow"
  done
}

install_namespace() {
  kubectl get namespace "$namespace" > /dev/null 2>&1 && return
  # With its labels in one step: a namespace that is there is left as it is.
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

install_operator() {
  local operator
  mapfile -t operator < <(chart "$operator_chart" spark-operator "$SPARK_OPERATOR_REPOSITORY" "$SPARK_OPERATOR_VERSION")
  say "spark-operator"
  # helm installs definitions with a chart's first release and never touches them again.
  helm show crds "${operator[@]}" | kubectl apply --server-side --force-conflicts --filename - > /dev/null
  helm upgrade "${install[@]}" spark-operator "${operator[@]}" \
    --namespace "$operator_namespace" --create-namespace --values "$here/values/spark-operator.yaml" \
    --set "spark.jobNamespaces={$namespace}" "${operator_values[@]}" --wait --timeout "$timeout" > /dev/null
}

install_salesflow() {
  say "salesflow"
  # Not --wait: it would wait for the store's volume, which many storage classes make for the first pod that uses it.
  helm upgrade "${install[@]}" salesflow "$here/salesflow" \
    --namespace "$namespace" "${salesflow_values[@]}" --timeout "$timeout"
  local server
  for server in $(kubectl get statefulset --namespace "$namespace" --output name \
    --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow); do
    kubectl rollout status "$server" --namespace "$namespace" --timeout "$timeout"
  done
}

install_airflow() {
  local airflow settings part
  mapfile -t airflow < <(chart "$airflow_chart" airflow "$AIRFLOW_REPOSITORY" "$AIRFLOW_CHART_VERSION")
  say "airflow"
  settings=$(kubectl get configmap salesflow-dag --namespace "$namespace" --output jsonpath='{.data}' | sha256sum | cut -c 1-16)
  # Not --wait: the pods wait for the database's migration, which the chart starts when everything else is there.
  helm upgrade "${install[@]}" airflow "${airflow[@]}" \
    --namespace "$namespace" --values "$here/values/airflow.yaml" "${airflow_values[@]}" \
    --set-string "airflowPodAnnotations.salesflow\.settings=$settings" --timeout "$timeout" > /dev/null
  for part in $(kubectl get deployment,statefulset --namespace "$namespace" --selector release=airflow --output name); do
    kubectl rollout status "$part" --namespace "$namespace" --timeout "$timeout"
  done
}

# remove RELEASE NAMESPACE: until the last pod of the release is gone, so that nothing of it meets a new installation.
remove() {
  helm uninstall "$1" --namespace "$2" --ignore-not-found --cascade foreground --wait --timeout "$timeout"
}

uninstall() {
  [ -n "$skip_airflow" ] || remove airflow "$namespace"
  # What Airflow left running, and the pod of `helm test`, which helm leaves; Spark while its operator is there.
  kubectl delete pods --namespace "$namespace" --timeout "$timeout" \
    --selector 'app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow,app.kubernetes.io/component in (stage,test)'
  if kubectl get crd sparkapplications.sparkoperator.k8s.io > /dev/null 2>&1; then
    kubectl delete sparkapplications --namespace "$namespace" --timeout "$timeout" \
      --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow
  fi
  remove salesflow "$namespace"
  [ -n "$skip_operator" ] || remove spark-operator "$operator_namespace"
  [ -n "$purge" ] || return 0
  kubectl delete persistentvolumeclaims,secrets --namespace "$namespace" --wait=false \
    --selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow
  [ -n "$skip_airflow" ] || kubectl delete persistentvolumeclaims --namespace "$namespace" --selector release=airflow --wait=false
}

action=${1:-}
case $action in
  install | upgrade | uninstall) shift ;;
  --help | -h) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
  *) wrong "there is no action $action" ;;
esac
read_options "$@"
[ -z "$purge" ] || [ "$action" = uninstall ] || wrong "--purge goes with uninstall only"
for tool in helm kubectl; do command -v $tool > /dev/null || fail "$tool is not installed"; done
kubernetes=$(kubectl version --output json 2> /dev/null) ||
  fail "kubectl does not reach a cluster: look at kubectl config current-context"
kubernetes=$(sed -n '/"serverVersion"/,$ s/.*"gitVersion": "\(v[0-9.]*\).*/\1/p' <<< "$kubernetes")

if [ "$action" = uninstall ]; then
  uninstall
  exit
fi
install=(--reset-values)
[ "$action" = upgrade ] || install+=(--install)
# Nothing is changed before it is known that all of it can be.
[ "$action" = install ] || expect_releases
made=$(objects) || fail "the salesflow chart does not take these values"
[ -n "$skip_airflow" ] || { expect_helm; expect_airflow_parts; }
install_namespace
[ -n "$skip_operator" ] || install_operator
install_salesflow
[ -n "$skip_airflow" ] || install_airflow
