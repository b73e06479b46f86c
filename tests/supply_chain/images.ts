/** Images of others that this project builds on or runs; its own are left out. */
import { parse } from "yaml";

/** Images that a Dockerfile starts from. Those without a tag are its own stages, or images that this project builds. */
export function imagesOfDockerfile(text: string): string[] {
  const images = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
  return unique(images.filter((image) => image.includes(":")));
}

/** Images of a compose file, but for this project's own, whose tag is a variable. */
export function imagesOfCompose(text: string): string[] {
  const { services }: { services: Record<string, { image?: string }> } = parse(text, { merge: true });
  const images = Object.values(services).flatMap(({ image }) => image ?? []);
  return unique(images.filter((image) => !image.includes("$")));
}

/** Images of a chart's values, but for this project's own, whose tag is left to the chart's version. */
export function imagesOfChart(text: string): string[] {
  const { images }: { images: Record<string, unknown> } = parse(text);
  return unique(
    Object.values(images).flatMap((image) => {
      const { repository, tag } = (image ?? {}) as { repository?: string; tag?: string };
      return repository && tag ? [`${repository}:${tag}`] : [];
    }),
  );
}

function unique(images: readonly string[]): string[] {
  return [...new Set(images)].sort();
}
