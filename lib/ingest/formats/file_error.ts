/** Errors about the files that are to be ingested. */
import { SalesflowError } from "../../console/errors.ts";

const FULL_COPY_REMEDY = "Copy or export the file again.";

/**
 * Returns an error about a file.
 *
 * @param message names the file and the place in it
 * @param remedy what the user can do, as a sentence
 */
export function fileError(message: string, remedy: string, cause?: unknown): SalesflowError {
  // Exit code 2, because the user named the file.
  return new SalesflowError(message, {
    stage: "ingest",
    exitCode: 2,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Returns the error of a file whose compressed content is incomplete or was changed. */
export function damagedArchive(name: string, cause?: unknown): SalesflowError {
  return fileError(`${name} is damaged: it cannot be decompressed completely`, FULL_COPY_REMEDY, cause);
}

/** Returns the error of a file whose content breaks the rules of its format, such as `workbook` or `Parquet file`. */
export function damagedFile(name: string, format: string, cause?: unknown): SalesflowError {
  return fileError(`${name} is damaged: it cannot be read as a ${format}`, FULL_COPY_REMEDY, cause);
}

/** Returns the error of a file that the operating system does not let us read. */
export function unreadableFile(name: string, cause: unknown): SalesflowError {
  if (cause instanceof Deno.errors.NotFound) {
    return fileError(`There is no file ${name}`, "Check its path.", cause);
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return fileError(
      `Cannot read ${name}: permission denied`,
      "Grant this user permission to read the file and to enter its folder.",
      cause,
    );
  }
  if (cause instanceof Deno.errors.IsADirectory) {
    return fileError(
      `Cannot read ${name}: it is a folder`,
      "Name the files in it, such as FOLDER/*.csv.",
      cause,
    );
  }
  return fileError(`Cannot read ${name}`, "Check that its disk or share is there.", cause);
}
