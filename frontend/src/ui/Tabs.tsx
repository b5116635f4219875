/** A few panels of which one is seen; arrow keys go from one to the next. */
import type { KeyboardEvent } from "react";

interface Props<T extends string> {
  label: string;
  tabs: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}

export function Tabs<T extends string>({ label, tabs, value, onChange }: Props<T>) {
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = tabs.findIndex(([name]) => name === value);
    const next = tabs.at((at + step) % tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    onChange(next[0]);
    const list = event.currentTarget;
    requestAnimationFrame(() => list.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  return (
    <div role="tablist" aria-label={label} tabIndex={-1} onKeyDown={onKey} className="flex gap-0.5">
      {tabs.map(([name, text]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === value}
          tabIndex={name === value ? 0 : -1}
          onClick={() => onChange(name)}
          className="touch h-9 rounded-md px-2 text-[15px] font-medium tracking-tight text-muted hover:bg-hover hover:text-fg aria-selected:font-semibold aria-selected:text-fg"
        >
          {text}
        </button>
      ))}
    </div>
  );
}
