/**
 * HTML that brings its own style, such as a styled table: in a frame the server serves under a
 * policy of its own. The frame runs no script and has no origin.
 */
import { useWords } from "../i18n";
import { apiUrl } from "../lib/api";
import type { Place } from "./OutputView";

interface Props {
  html: string;
  place: Place;
}

export function FrameOutput({ html, place }: Props) {
  const words = useWords().outputs;
  const conversation = encodeURIComponent(place.conversationId);
  const cell = encodeURIComponent(place.cellId);
  return (
    <iframe
      // Another content at the same address is loaded anew.
      key={html}
      className="output-frame"
      sandbox=""
      loading="lazy"
      title={words.html}
      src={apiUrl(`conversations/${conversation}/cells/${cell}/frame/${place.index}`)}
      height={guessHeight(html)}
    />
  );
}

/** In pixels: a frame without scripts cannot say how tall it is. */
function guessHeight(html: string): number {
  const count = (tags: RegExp) => html.match(tags)?.length ?? 0;
  const rows = count(/<tr[\s>]/gi) * 26;
  const lines = count(/<(?:p|div|li|h[1-6]|br|hr|pre|dt|dd)[\s/>]/gi) * 24;
  const pictures = count(/<(?:img|svg|canvas)[\s/>]/gi) * 240;
  return Math.min(rows + lines + pictures + 64, 480);
}
