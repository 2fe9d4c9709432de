interface TabMessage {
  readonly type: "opened" | "here" | "taken-over";
  readonly lease: string;
  readonly tab: string;
}

/** Notices when one lease is open in two tabs of the same browser. */
export class Tabs {
  readonly #channel: BroadcastChannel;
  readonly #tab = crypto.randomUUID();
  #lease: string | null = null;
  /** Another tab has the task that was just opened here. */
  onElsewhere: () => void = () => undefined;
  /** The worker goes on with this tab's task in another one. */
  onTakenOver: () => void = () => undefined;

  constructor(channel: BroadcastChannel = new BroadcastChannel("groundwork.tasks")) {
    this.#channel = channel;
    channel.addEventListener("message", (event: MessageEvent<TabMessage>) => {
      const message = event.data;
      if (message.tab === this.#tab || message.lease !== this.#lease) return;
      if (message.type === "opened") this.#send("here", message.lease);
      else if (message.type === "here") this.onElsewhere();
      else this.onTakenOver();
    });
  }

  /** Say which task is shown here now, or that none is. */
  open(lease: string | null): void {
    this.#lease = lease;
    if (lease !== null) this.#send("opened", lease);
  }

  /** Make the other tabs with this task stop. */
  takeOver(): void {
    if (this.#lease !== null) this.#send("taken-over", this.#lease);
  }

  close(): void {
    this.#lease = null;
    this.#channel.close();
  }

  #send(type: TabMessage["type"], lease: string): void {
    this.#channel.postMessage({ type, lease, tab: this.#tab } satisfies TabMessage);
  }
}
