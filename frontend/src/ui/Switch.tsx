/** Something that is on or off, with its name beside it. */
import { useId } from "react";

interface Props {
  label: string;
  detail?: string;
  on: boolean;
  disabled?: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ label, detail, on, disabled = false, onChange }: Props) {
  const name = useId();
  const more = useId();
  return (
    <div className="flex items-start gap-3">
      <div className="min-w-0 flex-1">
        <p id={name} className="text-sm font-medium">
          {label}
        </p>
        {detail !== undefined && (
          <p id={more} className="text-[13px] text-muted">
            {detail}
          </p>
        )}
      </div>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-labelledby={name}
        {...(detail !== undefined && { "aria-describedby": more })}
        disabled={disabled}
        onClick={() => onChange(!on)}
        className={`relative mt-0.5 h-6 w-10 shrink-0 rounded-full border transition-colors disabled:opacity-50 ${on ? "border-accent bg-accent" : "border-line-strong bg-hover"}`}
      >
        <span
          className={`absolute top-0.5 left-0.5 size-[18px] rounded-full shadow-s transition-transform ${on ? "translate-x-4 bg-on-accent" : "bg-muted"}`}
          aria-hidden
        />
      </button>
    </div>
  );
}
