/** One output that cannot be drawn says so and leaves the others alone; a new one is tried again. */
import { Component, type ReactNode } from "react";
import type { CellOutputValue } from "../protocol/generated";

interface Props {
  output: CellOutputValue;
  message: string;
  children: ReactNode;
}

interface State {
  failed: CellOutputValue | null;
}

export class OutputGuard extends Component<Props, State> {
  override state: State = { failed: null };

  override componentDidCatch(): void {
    this.setState({ failed: this.props.output });
  }

  static getDerivedStateFromError(): Partial<State> {
    return {};
  }

  override render(): ReactNode {
    if (this.state.failed === this.props.output) {
      return <p className="output-note">{this.props.message}</p>;
    }
    return this.props.children;
  }
}
