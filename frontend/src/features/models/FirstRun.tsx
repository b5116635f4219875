/** No model is chosen yet: three ways to one, and for each where the data goes. */
import { Computer, FlaskConical, KeyRound, RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { refreshModels, settings, useSettings } from "../../lib/lists";
import { Button } from "../../ui/Button";
import { Mark } from "../../ui/Mark";
import { reportError } from "../../ui/report";
import { ProviderForm } from "./ProviderForm";

export function FirstRun({ onChoose }: { onChoose: (model: string) => void }) {
  const words = useWords().providers;
  const { data } = useSettings();
  const [looking, setLooking] = useState(false);

  /** The choice holds for other browsers and the next start too. */
  function choose(model: string): void {
    onChoose(model);
    api.changeSettings({ default_model: model }).catch(reportError);
  }

  async function look(): Promise<void> {
    setLooking(true);
    await refreshModels().catch(reportError);
    settings.invalidate();
    setLooking(false);
  }

  const found = (data?.local_servers ?? []).filter(({ models }) => models.length > 0);
  return (
    <div className="scroller centred flex min-h-0 flex-1 flex-col px-4">
      <div className="m-auto flex w-full max-w-2xl flex-col items-center gap-3 py-8 text-center">
        <Mark size={44} />
        <h2 className="mt-2 text-[1.75rem] leading-tight font-semibold tracking-tight text-balance">
          {words.firstTitle}
        </h2>
        <p className="max-w-lg text-[15px] text-pretty text-muted">{words.firstLead}</p>
        <div className="mt-5 grid w-full gap-3 text-left">
          <Way icon={<Computer size={18} />} title={words.local} note={words.localNote}>
            {found.map((one) => (
              <div key={one.id} className="flex flex-wrap items-center gap-2">
                <span className="min-w-0 flex-1 text-sm">
                  {one.name} <span className="text-muted">{words.count(one.models.length)}</span>
                </span>
                <Button look="primary" onClick={() => choose(one.models[0] as string)}>
                  {words.use(one.name)}
                </Button>
              </div>
            ))}
            {found.length === 0 && (
              <div className="flex flex-wrap items-center gap-2">
                <p className="min-w-48 flex-1 text-sm text-muted">{words.noLocal}</p>
                <Button onClick={() => void look()} disabled={looking}>
                  <RefreshCw size={15} aria-hidden />
                  {words.look}
                </Button>
              </div>
            )}
          </Way>
          <Way icon={<KeyRound size={18} />} title={words.withKey} note={words.withKeyNote}>
            {data && (
              <ProviderForm
                all={data.providers}
                onSaved={({ model }) => model !== undefined && choose(model)}
              />
            )}
          </Way>
          <Way icon={<FlaskConical size={18} />} title={words.demo} note={words.demoNote}>
            <Button className="self-start" onClick={() => onChoose("demo")}>
              {words.tryDemo}
            </Button>
          </Way>
        </div>
      </div>
    </div>
  );
}

interface WayProps {
  icon: ReactNode;
  title: string;
  note: string;
  children: ReactNode;
}

function Way({ icon, title, note, children }: WayProps) {
  return (
    <section className="flex flex-col gap-3 rounded-lg border border-line bg-raised p-4 shadow-s">
      <div className="flex gap-3">
        <span className="mt-0.5 shrink-0 text-accent" aria-hidden>
          {icon}
        </span>
        <div>
          <h3 className="text-sm font-medium">{title}</h3>
          <p className="text-[13px] text-pretty text-muted">{note}</p>
        </div>
      </div>
      {children}
    </section>
  );
}
