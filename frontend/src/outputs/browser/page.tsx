/** What the browser test opens: a page that shows the outputs and messages it is handed. */
import { Fragment, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import type { CellOutputValue } from "../../protocol/generated";
import { Markdown } from "../../render/markdown/Markdown";
import { TipProvider } from "../../ui/Tip";
import "../../styles/tokens.css";
import { OutputList } from "../OutputList";

declare global {
  interface Window {
    showOutputs: (outputs: CellOutputValue[]) => void;
    showMessage: (text: string, streaming: boolean) => void;
  }
}

const root = createRoot(document.getElementById("root") ?? document.body);
let drawn = 0;

function draw(content: ReactNode): void {
  drawn += 1;
  flushSync(() =>
    root.render(
      <TipProvider>
        <Fragment key={drawn}>{content}</Fragment>
      </TipProvider>,
    ),
  );
}

window.showOutputs = (outputs) =>
  draw(
    <OutputList
      outputs={outputs.map((output) => ({ output }))}
      conversationId="c"
      cellId="k"
      running={false}
    />,
  );

window.showMessage = (text, streaming) =>
  draw(<Markdown text={text} streaming={streaming} onFileLink={(path) => `/files/${path}`} />);
