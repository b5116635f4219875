/** The product's frame: conversations, the conversation, its files; drawers where it is narrow. */
import {
  lazy,
  type ReactNode,
  type RefObject,
  Suspense,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { Sidebar } from "../features/conversations/Sidebar";
import { DropOverlay } from "../features/files/DropOverlay";
import { ImportButton } from "../features/notebook/ImportButton";
import { importNotebooks, isNotebook } from "../features/notebook/importNotebook";
import { SettingsMenu } from "../features/settings/SettingsMenu";
import { useShortcuts } from "../features/shortcuts/shortcuts";
import { useWords } from "../i18n";
import { setFilesPanel, setSidebar, usePrefs } from "../lib/prefs";
import { go, useConversationId } from "../lib/route";
import { Drawer } from "../ui/Dialog";
import { useMedia } from "../ui/useMedia";
import { ConversationPage } from "./ConversationPage";
import { useAnnouncements } from "./useAnnouncements";
import { useReplayNews } from "./useReplayNews";
import { stopConversation, useConversationActions } from "./useConversationActions";

// Not needed for the first look at the page.
const SidePanel = lazy(() => import("./SidePanel"));
const ToolsDialog = lazy(async () => ({
  default: (await import("../features/tools/ToolsDialog")).ToolsDialog,
}));
const StorageDialog = lazy(async () => ({
  default: (await import("../features/storage/StorageDialog")).StorageDialog,
}));
const ModelsDialog = lazy(async () => ({
  default: (await import("../features/models/ModelsDialog")).ModelsDialog,
}));
const ShortcutsDialog = lazy(async () => ({
  default: (await import("../features/shortcuts/ShortcutsDialog")).ShortcutsDialog,
}));

const WIDE = "(min-width: 56rem)";
const VERY_WIDE = "(min-width: 80rem)";

export function Shell() {
  const words = useWords();
  const id = useConversationId();
  const side = usePanel(
    WIDE,
    usePrefs((prefs) => prefs.sidebar),
    setSidebar,
  );
  const files = usePanel(
    VERY_WIDE,
    usePrefs((prefs) => prefs.files),
    setFilesPanel,
  );
  const [help, setHelp] = useState(false);
  const [providers, setProviders] = useState(false);
  const [tools, setTools] = useState(false);
  const [storage, setStorage] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const actions = useConversationActions(id);
  useAnnouncements(id);
  useReplayNews(id);

  // After a change of page the box is there only once that has been drawn.
  const focusComposer = () => requestAnimationFrame(() => composer.current?.focus());
  useReadyToType(id, composer);
  const attach = useCallback(
    (files: File[]) => {
      actions.attach(files);
      if (hasKeyboard()) composer.current?.focus();
    },
    [actions],
  );
  // What is dropped on the list becomes a conversation, where it is a notebook.
  const takeNotebooks = useCallback(
    (files: File[]) => {
      const others = files.filter((file) => !isNotebook(file));
      if (others.length > 0) attach(others);
      void importNotebooks(files.filter(isNotebook));
    },
    [attach],
  );
  useShortcuts({
    newChat: () => {
      go(undefined);
      focusComposer();
    },
    search: () => {
      side.open();
      searchField.current?.focus();
      // Where it was closed, the field is there only after it has been drawn.
      requestAnimationFrame(() => searchField.current?.focus());
    },
    sidebar: side.toggle,
    focus: focusComposer,
    stop: () => stopConversation(id),
    help: () => setHelp(true),
  });

  const sidebar = (
    <Sidebar
      current={id}
      searchField={searchField}
      onClose={side.close}
      onChosen={side.closeDrawer}
      tools={
        <ImportButton
          onFiles={async (files) => {
            await importNotebooks(files);
            side.closeDrawer();
          }}
        />
      }
      footer={
        <SettingsMenu
          onShortcuts={() => setHelp(true)}
          onModels={() => setProviders(true)}
          onTools={() => setTools(true)}
          onStorage={() => setStorage(true)}
        />
      }
    />
  );
  const panel = <SidePanel conversationId={id} onFiles={actions.upload} onClose={files.close} />;

  return (
    <div className="flex h-full">
      <a
        href="#composer"
        onClick={(event) => {
          event.preventDefault();
          focusComposer();
        }}
        className="sr-only z-50 rounded-md bg-raised px-3 py-2 focus:not-sr-only focus:absolute focus:m-2"
      >
        {words.a11y.skip}
      </a>
      <Side panel={side} side="left" title={words.a11y.sidebar} width="w-(--sidebar) border-r">
        {sidebar}
      </Side>
      <ConversationPage
        id={id}
        actions={actions}
        onAttach={attach}
        composer={composer}
        sidebar={side}
        files={files}
        onModels={() => setProviders(true)}
      />
      <Side panel={files} side="right" title={words.a11y.filesPanel} width="w-(--panel) border-l">
        <Suspense>{panel}</Suspense>
      </Side>
      <DropOverlay onFiles={attach} onNotebooks={takeNotebooks} />
      {providers && (
        <Suspense>
          <ModelsDialog onClose={() => setProviders(false)} />
        </Suspense>
      )}
      {tools && (
        <Suspense>
          <ToolsDialog onClose={() => setTools(false)} />
        </Suspense>
      )}
      {storage && (
        <Suspense>
          <StorageDialog onClose={() => setStorage(false)} />
        </Suspense>
      )}
      {help && (
        <Suspense>
          <ShortcutsDialog open onClose={() => setHelp(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** On a device without a keyboard the focus would bring one up over half of the page. */
const hasKeyboard = () => matchMedia("(pointer: fine)").matches;

/** Who comes to a conversation can type at once, unless the keys brought them there. */
function useReadyToType(
  id: string | undefined,
  composer: RefObject<HTMLTextAreaElement | null>,
): void {
  useEffect(() => {
    const byKeys = document.activeElement?.matches("a:focus-visible") ?? false;
    if (hasKeyboard() && !byKeys) composer.current?.focus();
  }, [id, composer]);
}

export interface Panel {
  /** It is seen, in whichever form. */
  shown: boolean;
  /** There is no room beside the conversation: it lies over it. */
  drawer: boolean;
  open: () => void;
  close: () => void;
  toggle: () => void;
  closeDrawer: () => void;
}

/** A panel that is remembered where it has a place of its own, and closed at first as a drawer. */
function usePanel(query: string, remembered: boolean, remember: (open: boolean) => void): Panel {
  const drawer = !useMedia(query);
  const [over, setOver] = useState(false);
  const shown = drawer ? over : remembered;
  const set = drawer ? setOver : remember;
  return {
    shown,
    drawer,
    open: () => set(true),
    close: () => set(false),
    toggle: () => set(!shown),
    closeDrawer: () => setOver(false),
  };
}

interface SideProps {
  panel: Panel;
  side: "left" | "right";
  title: string;
  width: string;
  children: ReactNode;
}

function Side({ panel, side, title, width, children }: SideProps) {
  if (panel.drawer) {
    return (
      <Drawer open={panel.shown} onClose={panel.close} side={side} title={title}>
        {children}
      </Drawer>
    );
  }
  return panel.shown && <div className={`h-full shrink-0 border-line ${width}`}>{children}</div>;
}
