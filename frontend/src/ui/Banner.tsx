/** A line across the conversation that says what is wrong and what mends it. */
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

interface Props {
  bad?: boolean;
  /** Read out when it appears; not for what scrolls into sight. */
  alert?: boolean;
  title: string;
  detail?: string | undefined;
  hint?: string | undefined;
  children?: ReactNode;
}

export function Banner({ bad = false, alert = false, title, detail, hint, children }: Props) {
  return (
    <div
      {...(alert && { role: "alert" })}
      className={`mx-auto flex w-full max-w-(--column) items-start gap-2.5 rounded-md border px-3 py-2 text-sm ${bad ? "border-danger/35 bg-danger-soft" : "border-warn/35 bg-warn-soft"}`}
    >
      <TriangleAlert
        size={17}
        className={`mt-0.5 shrink-0 ${bad ? "text-danger" : "text-warn"}`}
        aria-hidden
      />
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <p className="font-medium">{title}</p>
        {detail !== undefined && <p className="whitespace-pre-wrap">{detail}</p>}
        {hint !== undefined && <p className="text-muted">{hint}</p>}
      </div>
      {children}
    </div>
  );
}
