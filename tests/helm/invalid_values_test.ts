import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderTemplate } from "./chart.ts";

const BUCKET = ["storage.type=s3", "storage.s3.bucket=sales", "storage.s3.existingSecret=sales-bucket"];

/** Values that the schema rejects, and the expected message. */
const INVALID_VALUES: [set: string[], message: string][] = [
  [["storag.type=pvc"], "additional properties 'storag' not allowed"],
  [["storage.pvc.sise=20Gi"], "at '/storage/pvc': additional properties 'sise' not allowed"],
  [["postgresql.resources.limit.memory=1Gi"], "at '/postgresql/resources': additional properties 'limit'"],
  [["spark.executor.memoryMb=100"], "at '/spark/executor': additional properties 'memoryMb' not allowed"],
  [["images.salesflow.registry=x"], "at '/images/salesflow': additional properties 'registry' not allowed"],
  [["storage.type=nfs"], "at '/storage/type': value must be one of 'pvc', 's3'"],
  [
    ["storage.pvc.accessModes={ReadWriteOncePod}"],
    "at '/storage/pvc/accessModes/0': value must be one of 'ReadWriteOnce', 'ReadWriteMany'",
  ],
  [["storage.pvc.size=much"], "at '/storage/pvc/size': 'much' does not match pattern"],
  [["storage.pvc.mountPath=data"], "at '/storage/pvc/mountPath': 'data' does not match pattern"],
  [["storage.s3.endpoint=https://key:secret@s3.example.com"], "at '/storage/s3/endpoint'"],
  [["storage.s3.credentials=none"], "at '/storage/s3/credentials': value must be one of"],
  [["images.pullPolicy=Sometimes"], "at '/images/pullPolicy': value must be one of"],
  [["pipeline.rows=0"], "at '/pipeline/rows': minimum: got 0, want 1"],
  [["pipeline.rows=lots"], "at '/pipeline/rows': got string, want integer"],
  [["pipeline.rows=2000000001"], "at '/pipeline/rows': maximum"],
  [["pipeline.seed=-1"], "at '/pipeline/seed': minimum"],
  [["spark.driver.coreRequest=-1"], "at '/spark/driver/coreRequest': minimum"],
  [["pipeline.retries=100"], "at '/pipeline/retries': maximum: got 100, want 20"],
  [["pipeline.generate.maxShards=0"], "at '/pipeline/generate/maxShards'"],
  [["stages.runAsUser=0"], "at '/stages/runAsUser': minimum: got 0, want 1"],
  [["stages.resources.limits.memory=2 GB"], "at '/stages/resources/limits/memory'"],
  [["stages.env.lower=1"], "at '/stages/env': additional properties 'lower' not allowed"],
  [["stages.labels.a b=1"], "at '/stages/labels': additional properties 'a b' not allowed"],
  [["spark.version=four"], "at '/spark/version': 'four' does not match pattern"],
  [["spark.driver.memory=1Gi"], "at '/spark/driver/memory': '1Gi' does not match pattern"],
  [["spark.executor.instances=0"], "at '/spark/executor/instances': minimum"],
  [["spark.conf.shuffle=8"], "at '/spark/conf': additional properties 'shuffle' not allowed"],
  [["networkPolicy.apiServerPorts={0}"], "at '/networkPolicy/apiServerPorts/0': minimum"],
  [
    ["networkPolicy.extraClients[0].pods=x"],
    "at '/networkPolicy/extraClients/0': additional properties 'pods'",
  ],
  [["fullnameOverride=Sales_Flow"], "at '/fullnameOverride': 'Sales_Flow' does not match pattern"],
];

/** Values that are inconsistent, and the expected message. */
const INCONSISTENT_VALUES: [set: string[], message: string][] = [
  [["storage.type=s3", "storage.s3.existingSecret=x"], "storage.s3.bucket is empty"],
  [["storage.type=s3", "storage.s3.bucket=sales"], "storage.s3.existingSecret is empty"],
  [
    [...BUCKET, "storage.s3.credentials=workloadIdentity"],
    "storage.s3.existingSecret is set, but storage.s3.cred",
  ],
  [[...BUCKET, "storage.pvc.existingClaim=runs"], "storage.pvc.existingClaim is set, but storage.type is s3"],
  [["storage.s3.bucket=sales"], "storage.s3.bucket is set, but storage.type is pvc"],
  [
    ["pipeline.source.name=shop.yaml"],
    "pipeline.source.name is shop.yaml, but pipeline.source.files has no such",
  ],
  [["pipeline.source.files.a\\.yaml=x"], "pipeline.source.files is set, but pipeline.source.name is empty"],
  [
    ["pipeline.source.files.a\\.csv=x", "pipeline.source.name=s3://sales/shop.yaml"],
    "pipeline.source.files is set, but pipeline.source.name is in a bucket",
  ],
  [["images.postgresql.tag=17.6-bookworm"], "images.postgresql.tag is 17.6-bookworm, but the image stores"],
  [
    ["postgresql.external.existingSecret=x"],
    "postgresql.external.existingSecret is set, but postgresql.enabled is true",
  ],
  [
    ["postgresql.enabled=false", "airflow.database.create=false"],
    "postgresql.external.existingSecret is empty, but postgresql.enabled is false: set it to a Secret with SALESFLOW_POSTGRES_URL",
  ],
  [
    ["clickhouse.external.existingSecret=x"],
    "clickhouse.external.existingSecret is set, but clickhouse.enabled is true",
  ],
  [
    ["clickhouse.enabled=false"],
    "clickhouse.enabled is false: set it to a Secret with SALESFLOW_CLICKHOUSE_URL",
  ],
  [
    ["postgresql.enabled=false", "postgresql.external.existingSecret=x"],
    "airflow.database.create is true, but postgresql.enabled is false",
  ],
  [
    ["airflow.serviceAccount.namespace=elsewhere"],
    "airflow.serviceAccount.namespace is set, but airflow.serviceAccount.create is true",
  ],
  [["airflow.serviceAccount.create=false"], "airflow.serviceAccount.name is empty"],
  [
    ["spark.dynamicAllocation.enabled=true", "spark.dynamicAllocation.minExecutors=9"],
    "spark.dynamicAllocation.minExecutors (9) is above maxExecutors (8)",
  ],
  [["stages.env.SALESFLOW_POSTGRES_URL=x"], "stages.env.SALESFLOW_POSTGRES_URL is a secret"],
  [["stages.env.AWS_SECRET_ACCESS_KEY=x"], "stages.env.AWS_SECRET_ACCESS_KEY is a secret"],
  [["stages.env.SALESFLOW_HOME=/x"], "stages.env.SALESFLOW_HOME cannot be set: it is managed by the chart"],
  [
    [...BUCKET, "stages.env.AWS_REGION=x"],
    "stages.env.AWS_REGION cannot be set: it is managed by storage.s3.region",
  ],
  [
    ["stages.env.SALESFLOW_S3_ENDPOINT=http://x"],
    "stages.env.SALESFLOW_S3_ENDPOINT cannot be set: it is managed by storage.s3.endpoint",
  ],
  [["stages.env.SALESFLOW_STORE=/x"], "stages.env.SALESFLOW_STORE cannot be set: it is managed by storage"],
  [["stages.env.SALESFLOW_RUN_ID=x"], "stages.env.SALESFLOW_RUN_ID cannot be set: it is managed by the DAG"],
  [
    ["spark.conf.spark\\.kubernetes\\.namespace=x"],
    "spark.conf.spark.kubernetes.namespace cannot be set: it is managed by the chart",
  ],
  [["commonLabels.app\\.kubernetes\\.io/name=x"], "app.kubernetes.io/name cannot be set in commonLabels"],
  [["stages.labels.app\\.kubernetes\\.io/component=x"], "app.kubernetes.io/component cannot be set in"],
];

async function assertRejected(set: string[], message: string): Promise<void> {
  const { code, stderr } = await renderTemplate({ set });
  assertEquals(code, 1);
  assertStringIncludes(stderr, message);
}

describe("values.schema.json", () => {
  for (const [set, message] of INVALID_VALUES) {
    it(`rejects ${set.join(" ")}`, () => assertRejected(set, message));
  }
});

describe("salesflow.validateValues", () => {
  for (const [set, message] of INCONSISTENT_VALUES) {
    it(`rejects ${set.join(" with ")}`, () => assertRejected(set, message));
  }

  it("reports all mistakes at once", async () => {
    const { stderr } = await renderTemplate({ set: ["storage.type=s3", "clickhouse.enabled=false"] });
    for (
      const part of [
        "storage.s3.bucket is empty",
        "storage.s3.existingSecret is empty",
        "clickhouse.external",
      ]
    ) {
      assertStringIncludes(stderr, part);
    }
  });
});
