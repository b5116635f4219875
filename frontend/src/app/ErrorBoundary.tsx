/** A fault of the page itself is told, with a way on, instead of leaving it blank. */
import { Component, type ErrorInfo, type ReactNode } from "react";
import { useWords } from "../i18n";
import { Button } from "../ui/Button";

interface State {
  error: Error | undefined;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }

  override render(): ReactNode {
    return this.state.error ? <Crash error={this.state.error} /> : this.props.children;
  }
}

function Crash({ error }: { error: Error }) {
  const words = useWords();
  return (
    <main className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center">
      <h1 className="text-xl font-semibold">{words.crash.title}</h1>
      <p className="text-muted">{words.crash.lead}</p>
      <pre className="max-w-full overflow-auto text-sm text-danger">{error.message}</pre>
      <Button look="primary" onClick={() => location.reload()}>
        {words.crash.reload}
      </Button>
    </main>
  );
}
