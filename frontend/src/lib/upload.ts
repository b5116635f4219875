/** One PUT of a whole file with progress and a way to stop; fetch reports no upload progress. */
import { errorFrom, fileUrl, parsed, reportUnauthenticated, unreachable, type Upload } from "./api";

export interface UploadTask {
  done: Promise<Upload>;
  abort(): void;
}

export class Aborted extends Error {}

/** Sends `file` into the conversation's workspace; `onProgress` gets the share sent, 0 to 1. */
export function upload(
  conversationId: string,
  file: File,
  onProgress: (share: number) => void,
): UploadTask {
  const request = new XMLHttpRequest();
  const done = new Promise<Upload>((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 1),
    );
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      const taken = request.status >= 200 && request.status < 300 && answer !== undefined;
      if (taken) return resolve(answer as Upload);
      if (request.status === 401) reportUnauthenticated();
      return reject(errorFrom(request.status, answer));
    });
    request.addEventListener("error", () => reject(unreachable("the connection broke")));
    request.addEventListener("abort", () => reject(new Aborted()));
  });
  request.open("PUT", fileUrl(conversationId, file.name));
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, abort: () => request.abort() };
}
