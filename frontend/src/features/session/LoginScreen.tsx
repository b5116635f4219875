/** Shown to a browser that is not signed in: where the link is, and a place to paste it. */
import { useId, useState } from "react";
import { useWords } from "../../i18n";
import { ApiError } from "../../lib/api";
import { codeIn, signIn } from "../../lib/session";
import { Button } from "../../ui/Button";
import { formText } from "../../ui/formText";
import { Mark } from "../../ui/Mark";
import { messageOf } from "../../ui/report";

export function LoginScreen() {
  const words = useWords();
  const field = useId();
  const trouble = useId();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function enter(text: string): Promise<void> {
    const code = codeIn(text);
    if (code === undefined) {
      setProblem(words.login.bad);
      return;
    }
    setBusy(true);
    try {
      await signIn(code);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.status === 401 ? words.login.refused : messageOf(error, words));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className="scroller flex h-full p-4">
      <form
        className="m-auto flex w-full max-w-md flex-col gap-3 rounded-xl border border-line bg-raised p-7 shadow-m"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(formText(event.currentTarget, "code"));
        }}
      >
        <Mark size={36} />
        <h1 className="mt-2 text-xl font-semibold tracking-tight">{words.login.title}</h1>
        <p className="text-sm text-muted">{words.login.lead}</p>
        <label htmlFor={field} className="mt-2 text-sm font-medium">
          {words.login.label}
        </label>
        <input
          id={field}
          name="code"
          autoFocus
          autoComplete="off"
          spellCheck={false}
          placeholder={words.login.placeholder}
          aria-invalid={problem !== undefined}
          aria-describedby={trouble}
          className="h-11 rounded-md border border-line-strong bg-bg px-3 font-mono text-base placeholder:text-faint sm:text-sm"
        />
        <p id={trouble} role="alert" className="min-h-5 text-sm text-danger">
          {problem}
        </p>
        <Button type="submit" look="primary" disabled={busy}>
          {words.login.submit}
        </Button>
      </form>
    </main>
  );
}
