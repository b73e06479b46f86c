/** Finds the third-party images that the project builds on or runs. */
import { parse } from "yaml";

/** Returns the base images of a Dockerfile. Images without a tag are omitted: they are build stages, or built by this project. */
export function parseDockerfileImages(text: string): string[] {
  const images = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
  return sortedUnique(images.filter((image) => image.includes(":")));
}

/** Returns the images of a compose file, except the project's own, whose tag is a variable. */
export function parseComposeImages(text: string): string[] {
  const { services }: { services: Record<string, { image?: string }> } = parse(text, { merge: true });
  const images = Object.values(services).flatMap(({ image }) => image ?? []);
  return sortedUnique(images.filter((image) => !image.includes("$")));
}

/** Returns the images of a chart's values, except the project's own, whose tag is empty (the chart's version). */
export function parseChartImages(text: string): string[] {
  const { images }: { images: Record<string, unknown> } = parse(text);
  return sortedUnique(
    Object.values(images).flatMap((image) => {
      const { repository, tag } = (image ?? {}) as { repository?: string; tag?: string };
      return repository && tag ? [`${repository}:${tag}`] : [];
    }),
  );
}

function sortedUnique(images: readonly string[]): string[] {
  return [...new Set(images)].sort();
}
