/** One conversation: its header, what was said and run, what is wrong, and the message box. */
import { FolderOpen, PanelLeftOpen } from "lucide-react";
import {
  lazy,
  type ReactNode,
  type RefObject,
  Suspense,
  useCallback,
  useEffect,
  useRef,
} from "react";
import { EmptyState, type Suggestion } from "../features/chat/EmptyState";
import { LoadFailed, LoadingState } from "../features/chat/LoadStates";
import type { TranscriptHandle } from "../features/chat/Transcript";
import { Composer } from "../features/composer/Composer";
import { InstallButton } from "../features/kernel/InstallButton";
import { hasOffers } from "../features/kernel/offers";
import { KernelMenu } from "../features/kernel/KernelMenu";
import { NetworkButton } from "../features/kernel/NetworkButton";
import { SandboxShield } from "../features/kernel/SandboxShield";
import { ModelMenu } from "../features/models/ModelMenu";
import { NotebookMenu } from "../features/notebook/NotebookMenu";
import { VariablesStrip } from "../features/replay/VariablesStrip";
import { Banners } from "../features/status/Banners";
import { useWords } from "../i18n";
import { api } from "../lib/api";
import { changeDraft, NEW } from "../lib/drafts";
import { useConversations } from "../lib/lists";
import { transcripts, useTranscript } from "../lib/live";
import type { Loaded } from "../lib/store";
import type { CellPart, ToolPart, Transcript as Conversation, Turn } from "../protocol/generated";
import { IconButton } from "../ui/IconButton";
import { reportError } from "../ui/report";
import type { Panel } from "./Shell";
import {
  askAnew,
  type ConversationActions,
  isRunning,
  stopConversation,
} from "./useConversationActions";
import { useModelChoice } from "./useModelChoice";
import { useRestore } from "./useRestore";

interface Props {
  id: string | undefined;
  actions: ConversationActions;
  onAttach: (files: File[]) => void;
  composer: RefObject<HTMLTextAreaElement | null>;
  sidebar: Panel;
  files: Panel;
  onModels: () => void;
}

// The empty page needs neither; they are fetched while it is drawn, beside the first transcript.
const chat = import("../features/chat/Transcript");
const cells = import("../features/cells/CellView");
const Transcript = lazy(async () => ({ default: (await chat).Transcript }));
// Most conversations never ask.
const ApprovalCard = lazy(async () => ({
  default: (await import("../features/approvals/ApprovalCard")).ApprovalCard,
}));
const CellOffers = lazy(async () => ({
  default: (await import("../features/kernel/CellOffers")).CellOffers,
}));
const CellView = lazy(async () => ({ default: (await cells).CellView }));

// Only who has no model yet needs it.
const FirstRun = lazy(async () => ({
  default: (await import("../features/models/FirstRun")).FirstRun,
}));

// Only conversations with code have something to run again.
const ReplayMenu = lazy(async () => ({
  default: (await import("../features/replay/ReplayMenu")).ReplayMenu,
}));

const NONE: Loaded = { state: "loading" };

export function ConversationPage({
  id,
  actions,
  onAttach,
  composer,
  sidebar,
  files,
  onModels,
}: Props) {
  const loaded = useOpened(id);
  const transcript = loaded.state === "failed" ? undefined : loaded.transcript;
  const model = useModelChoice(id, transcript?.model);
  const end = useRef<TranscriptHandle>(null);
  const { restore, dialog } = useRestore(id);
  useTitle(transcript?.title, useSomethingWaits());
  const suggest = ({ text, code }: Suggestion) => {
    changeDraft(id ?? NEW, { text, code });
    composer.current?.focus();
  };

  return (
    <main className="flex h-full min-w-0 flex-1 flex-col bg-bg">
      <Header
        sidebar={sidebar}
        files={files}
        transcript={transcript}
        onRestore={restore}
        onShow={(cellId) => end.current?.toCell(cellId)}
      >
        <ModelMenu
          models={model.models}
          current={model.current}
          onChoose={model.choose}
          onManage={onModels}
        />
      </Header>
      <Body
        id={id}
        loaded={loaded}
        end={end}
        empty={
          model.none ? (
            <Suspense fallback={<LoadingState />}>
              <FirstRun onChoose={model.choose} />
            </Suspense>
          ) : (
            <EmptyState demo={model.current === "demo"} onChoose={suggest} />
          )
        }
      />
      <Banners
        kernel={transcript?.kernel}
        noModel={model.none && (transcript?.turns.length ?? 0) > 0}
        mend={
          id !== undefined &&
          transcript?.kernel.missing !== undefined && (
            <InstallButton
              conversationId={id}
              name={transcript.kernel.missing}
              command={transcript.kernel.hint}
            />
          )
        }
        onRestart={() => id && void api.kernel(id, "restart").catch(reportError)}
      />
      {transcript && <VariablesStrip transcript={transcript} onRestore={restore} />}
      {dialog}
      {loaded.state !== "failed" && (
        <Composer
          area={composer}
          conversationId={id}
          running={transcript !== undefined && isRunning(transcript)}
          language={transcript?.language === "python" ? undefined : transcript?.language}
          model={model.current}
          ensure={actions.ensure}
          discard={actions.discard}
          onFiles={onAttach}
          onStop={() => stopConversation(id)}
          onSent={() => end.current?.toEnd()}
        />
      )}
    </main>
  );
}

/** The conversation's transcript, asked for when it is first shown. */
function useOpened(id: string | undefined): Loaded {
  const loaded = useTranscript(id ?? "");
  useEffect(() => {
    if (id !== undefined) transcripts.open(id);
  }, [id]);
  return id === undefined ? NONE : loaded;
}

/** A question waits for the person, in whichever conversation. */
function useSomethingWaits(): boolean {
  return useConversations("").data?.some((one) => one.waiting) ?? false;
}

function useTitle(title: string | undefined, waits: boolean): void {
  const words = useWords();
  useEffect(() => {
    const plain = title ? `${title} · ${words.brand}` : words.brand;
    document.title = waits ? `(!) ${words.approval.waits} · ${plain}` : plain;
  }, [title, waits, words]);
}

interface BodyProps {
  id: string | undefined;
  loaded: Loaded;
  end: RefObject<TranscriptHandle | null>;
  /** Stands where nothing was said yet. */
  empty: ReactNode;
}

function Body({ id, loaded, end, empty }: BodyProps) {
  const retry = useCallback(
    (turnId: string) => id && void api.retry(id, turnId).catch(reportError),
    [id],
  );
  const anew = useCallback(
    (turn: Turn, text: string) => (id ? askAnew(id, turn, text) : Promise.resolve()),
    [id],
  );
  if (id === undefined) return empty;
  if (loaded.state === "failed") {
    return <LoadFailed error={loaded.error} onRetry={() => transcripts.retry(id)} />;
  }
  if (loaded.transcript === undefined) return <LoadingState />;
  if (loaded.transcript.turns.length === 0) return empty;
  return (
    <Suspense fallback={<LoadingState />}>
      <Transcript
        key={id}
        ref={end}
        transcript={loaded.transcript}
        renderCell={renderCell}
        renderApproval={renderApproval}
        onRetry={retry}
        onAskAnew={anew}
      />
    </Suspense>
  );
}

function renderCell(cell: CellPart, conversationId: string): ReactNode {
  return (
    <Suspense fallback={<div className="h-40 rounded-lg border border-line" aria-busy />}>
      <CellView
        cell={cell}
        conversationId={conversationId}
        approval={
          cell.approval && (
            <Suspense>
              <ApprovalCard
                conversationId={conversationId}
                id={cell.cell_id}
                reasons={cell.approval.reasons}
                code={cell.code}
              />
            </Suspense>
          )
        }
        offers={
          hasOffers(cell) && (
            <Suspense>
              <CellOffers cell={cell} conversationId={conversationId} />
            </Suspense>
          )
        }
      />
    </Suspense>
  );
}

function renderApproval(tool: ToolPart, conversationId: string): ReactNode {
  return (
    tool.approval && (
      <Suspense>
        <ApprovalCard
          conversationId={conversationId}
          id={tool.call_id}
          reasons={tool.approval.reasons}
        />
      </Suspense>
    )
  );
}

/** A kernel that did not start for want of an answer. */
function startAgain(transcript: Conversation | undefined): void {
  if (transcript?.kernel.state !== "dead") return;
  void api.kernel(transcript.id, "restart").catch(reportError);
}

function hasCells({ turns }: Conversation): boolean {
  return turns.some((turn) => turn.parts.some((part) => part.type === "cell"));
}

interface HeaderProps {
  sidebar: Panel;
  files: Panel;
  transcript: Conversation | undefined;
  onRestore: () => void;
  onShow: (cellId: string) => void;
  children: ReactNode;
}

function Header({ sidebar, files, transcript, onRestore, onShow, children }: HeaderProps) {
  const words = useWords();
  return (
    <header className="flex h-(--header) shrink-0 items-center gap-0.5 border-b border-line px-2">
      {!sidebar.shown && (
        <IconButton label={words.sidebar.open} keys="Mod+Shift+S" onClick={sidebar.open}>
          <PanelLeftOpen size={18} aria-hidden />
        </IconButton>
      )}
      {children}
      <h1 className="sr-only">{transcript?.title || words.brand}</h1>
      <span className="flex-1" />
      <SandboxShield kernel={transcript?.kernel} onAgreed={() => startAgain(transcript)} />
      {transcript && <NetworkButton transcript={transcript} />}
      {transcript && (
        <KernelMenu
          transcript={transcript}
          onRestore={hasCells(transcript) ? onRestore : undefined}
        />
      )}
      {transcript && hasCells(transcript) && (
        <Suspense>
          <ReplayMenu transcript={transcript} onShow={onShow} />
        </Suspense>
      )}
      {transcript && (
        <NotebookMenu
          conversationId={transcript.id}
          kept={transcript.notebook}
          hasContent={transcript.turns.length > 0}
        />
      )}
      <IconButton
        label={files.shown ? words.header.hideFiles : words.header.showFiles}
        aria-expanded={files.shown}
        onClick={files.toggle}
        className={files.shown && !files.drawer ? "bg-hover text-fg" : ""}
      >
        <FolderOpen size={18} aria-hidden />
      </IconButton>
    </header>
  );
}
