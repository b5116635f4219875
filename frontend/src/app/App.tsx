/** Which of the two faces is shown: the product, or the way in. */
import { lazy, Suspense, useEffect } from "react";
import { goLive } from "../lib/live";
import { useSession } from "../lib/session";
import { Announcer } from "../ui/Announcer";
import { Toasts } from "../ui/Toast";
import { Shell } from "./Shell";

const LoginScreen = lazy(async () => ({
  default: (await import("../features/session/LoginScreen")).LoginScreen,
}));

export function App() {
  const { state } = useSession();
  return (
    <>
      {state === "in" && <Live />}
      {state === "out" && (
        <Suspense>
          <LoginScreen />
        </Suspense>
      )}
      <Toasts />
      <Announcer />
    </>
  );
}

function Live() {
  useEffect(goLive, []);
  return <Shell />;
}
