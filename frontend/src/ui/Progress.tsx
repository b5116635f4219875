/** How far something is: a ring for small places, a bar for rows. */

const R = 7;
const AROUND = 2 * Math.PI * R;

export function ProgressRing({ share, label }: { share: number; label: string }) {
  const percent = Math.round(share * 100);
  return (
    <svg
      viewBox="0 0 18 18"
      className="size-[18px] -rotate-90"
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <circle cx="9" cy="9" r={R} fill="none" stroke="var(--line-strong)" strokeWidth="2.5" />
      <circle
        cx="9"
        cy="9"
        r={R}
        fill="none"
        stroke="var(--accent)"
        strokeWidth="2.5"
        strokeLinecap="round"
        strokeDasharray={AROUND}
        strokeDashoffset={AROUND * (1 - share)}
        className="transition-[stroke-dashoffset]"
      />
    </svg>
  );
}

export function ProgressBar({ share, label }: { share: number; label: string }) {
  return (
    <progress
      value={share}
      max={1}
      aria-label={label}
      className="block h-1 w-full appearance-none overflow-hidden rounded-full bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
    />
  );
}
