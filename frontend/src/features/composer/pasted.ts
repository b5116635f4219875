/** Names for pictures out of the clipboard, where browsers call every one of them "image.png". */
import { files as listed } from "../../lib/lists";
import { uploads } from "../../lib/uploads";

const NAMELESS = /^image\.(png|jpe?g|gif|webp)$/i;

/** The files with a name of their own for each nameless picture. */
export function named(pasted: readonly File[], conversationId: string | undefined): File[] {
  const taken = new Set(conversationId === undefined ? [] : namesIn(conversationId));
  return pasted.map((file) => {
    const ending = NAMELESS.exec(file.name)?.[1]?.toLowerCase();
    if (ending === undefined || !file.type.startsWith("image/")) return file;
    let number = 1;
    while (taken.has(`pasted-${number}.${ending}`)) number += 1;
    const name = `pasted-${number}.${ending}`;
    taken.add(name);
    return new File([file], name, { type: file.type });
  });
}

function namesIn(conversationId: string): string[] {
  const there = listed.get(conversationId).data?.files ?? [];
  const coming = uploads.useUploads
    .getState()
    .items.filter((item) => item.conversationId === conversationId);
  return [...there.map(({ path }) => path), ...coming.map(({ path, name }) => path ?? name)];
}
