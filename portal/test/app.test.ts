import { describe, expect, it } from "vitest";
import { Api, ApiError } from "../src/app/api";
import { Drafts, type KeyedStorage } from "../src/app/drafts";
import { type Delivery, type Letter, Outbox, type OutboxState } from "../src/app/outbox";
import { RecentAnswers } from "../src/app/recent";
import { FrameSettings } from "../src/app/settings";
import { chooseLocale, TEXTS, type TextKey, text } from "../src/app/texts";
import { backoffSeconds, clockText, durationText, taskTime } from "../src/app/time";

class MemoryStorage implements KeyedStorage {
  readonly items = new Map<string, string>();
  isFull = false;

  get length(): number {
    return this.items.size;
  }

  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const DAY = 24 * 3600 * 1000;
const DRAFT = { boundingBox: [{ boxes: [1, 2] }] };

describe("drafts", () => {
  it("come back to the same worker, job and object only", () => {
    const storage = new MemoryStorage();
    new Drafts(storage, "ann").save("job", 3, DRAFT);
    expect(new Drafts(storage, "ann").find("job", 3)).toEqual(DRAFT);
    expect(new Drafts(storage, "ben").find("job", 3)).toBeNull();
    expect(new Drafts(storage, "ann").find("job", 4)).toBeNull();
    expect(new Drafts(storage, "ann").find("other", 3)).toBeNull();
  });

  it("are forgotten when they are accepted, or after two weeks", () => {
    const storage = new MemoryStorage();
    let now = 0;
    const drafts = new Drafts(storage, "ann", () => now);
    drafts.save("job", 1, DRAFT);
    drafts.remove("job", 1);
    expect(drafts.find("job", 1)).toBeNull();
    drafts.save("job", 2, DRAFT);
    now = 13 * DAY;
    drafts.save("job", 3, DRAFT);
    storage.setItem("another app's", "untouched");
    now = 15 * DAY;
    drafts.removeOld();
    expect(drafts.find("job", 2)).toBeNull();
    expect(drafts.find("job", 3)).toEqual(DRAFT);
    expect(storage.getItem("another app's")).toBe("untouched");
  });

  it("do without a browser that has no room", () => {
    const storage = new MemoryStorage();
    storage.isFull = true;
    expect(new Drafts(storage, "ann").save("job", 1, DRAFT)).toBe(false);
  });

  it.each(["", "{", "[]", "1", '{"savedAt":1}', '{"savedAt":"x","draft":{}}'])(
    "ignore what is broken: %s",
    (stored) => {
      const storage = new MemoryStorage();
      storage.setItem("groundwork.draft.ann.job.1", stored);
      const drafts = new Drafts(storage, "ann");
      expect(drafts.find("job", 1)).toBeNull();
      drafts.removeOld();
      expect(storage.length).toBe(0);
    },
  );
});

function letter(lease: string): Letter {
  const answer = { answerContent: { note: lease }, timeSpentInSeconds: 1 };
  return { lease, job: "job", objectId: 1, answer, submittedAt: 0, draft: null };
}

/** A server that answers as told, in turn, and then accepts everything. */
class Server {
  readonly got: string[] = [];
  readonly answers: (ApiError | null)[];

  constructor(...answers: (ApiError | null)[]) {
    this.answers = answers;
  }

  readonly send = async (lease: string): Promise<void> => {
    this.got.push(lease);
    const answer = this.answers.shift();
    if (answer) throw answer;
  };
}

const OFFLINE = new ApiError(0, "Network", "no connection");

function outbox(server: Server, storage = new MemoryStorage()) {
  const states: OutboxState[] = [];
  const deliveries: Delivery[] = [];
  const waits: number[] = [];
  const box = new Outbox({
    storage,
    worker: "ann",
    send: server.send,
    random: () => 0.5,
    wait: (seconds) => {
      waits.push(seconds);
      return { over: Promise.resolve(), end: () => undefined };
    },
  });
  box.onState = (state) => states.push(state);
  box.onDelivery = (delivery) => deliveries.push(delivery);
  return { box, states, deliveries, waits, storage };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

describe("the outbox", () => {
  it("sends answers one after the other and forgets what was accepted", async () => {
    const server = new Server();
    const { box, deliveries, states, storage } = outbox(server);
    box.add(letter("a"));
    box.add(letter("b"));
    await settled();
    expect(server.got).toEqual(["a", "b"]);
    expect(deliveries.map((each) => each.state)).toEqual(["accepted", "accepted"]);
    expect(states.at(-1)).toEqual({ state: "idle" });
    expect(storage.length).toBe(0);
  });

  it("tries again, with longer and longer waits, until it works", async () => {
    const busy = new ApiError(503, "Busy", "later");
    const server = new Server(OFFLINE, busy, OFFLINE);
    const { box, deliveries, waits } = outbox(server);
    box.add(letter("a"));
    await settled();
    expect(server.got).toEqual(["a", "a", "a", "a"]);
    expect(waits).toEqual([1, 2, 4]);
    expect(deliveries).toHaveLength(1);
  });

  it("keeps what is not accepted yet over a reload", async () => {
    const storage = new MemoryStorage();
    const first = outbox(new Server(new ApiError(401, "SignedOut", "")), storage);
    first.box.add(letter("a"));
    await settled();
    expect(first.states.at(-1)).toEqual({ state: "signed-out", count: 1 });
    const server = new Server();
    const second = outbox(server, storage);
    expect(second.box.letters.map((each) => each.lease)).toEqual(["a"]);
    await second.box.flush();
    expect(server.got).toEqual(["a"]);
  });

  it.each([
    [404, "LeaseNotFound"],
    [409, "JobNotOpen"],
    [410, "LeaseExpired"],
    [413, "AnswerTooLarge"],
    [422, "InvalidAnswer"],
  ])("tells a refusal (%i %s) and goes on with the others", async (status, code) => {
    const server = new Server(new ApiError(status, code, ""));
    const { box, deliveries, storage } = outbox(server);
    box.add(letter("a"));
    box.add(letter("b"));
    await settled();
    expect(deliveries.map((each) => [each.letter.lease, each.state])).toEqual([
      ["a", "refused"],
      ["b", "accepted"],
    ]);
    expect(storage.length).toBe(0);
  });

  it("replaces what waits under the same lease", async () => {
    const server = new Server(new ApiError(401, "SignedOut", ""));
    const { box } = outbox(server);
    box.add(letter("a"));
    await settled();
    box.add({ ...letter("a"), submittedAt: 5 });
    expect(box.letters.map((each) => each.submittedAt)).toEqual([5]);
  });

  it.each(["{", "1", "null", '[{"lease":1}]'])("ignores what is broken: %s", (stored) => {
    const storage = new MemoryStorage();
    storage.setItem("groundwork.outbox.ann", stored);
    expect(outbox(new Server(), storage).box.letters).toEqual([]);
  });
});

describe("recent answers", () => {
  it("are the last five, newest first, each once", () => {
    const recent = new RecentAnswers(new MemoryStorage(), "ann", "job");
    for (let objectId = 0; objectId < 7; objectId += 1) {
      recent.add({ lease: `lease-${objectId}`, objectId, submittedAt: objectId, draft: null });
    }
    recent.add({ lease: "lease-4", objectId: 4, submittedAt: 9, draft: DRAFT });
    expect(recent.list().map((each) => each.objectId)).toEqual([4, 6, 5, 3, 2]);
    recent.remove("lease-5");
    expect(recent.list().map((each) => each.objectId)).toEqual([4, 6, 3, 2]);
  });
});

describe("settings of tasks", () => {
  it("tell whether they changed", () => {
    const settings = new FrameSettings(new MemoryStorage(), "ann", "job");
    expect(settings.get()).toEqual({});
    expect(settings.set({ panel: "closed" })).toBe(true);
    expect(settings.set({ panel: "closed" })).toBe(false);
    expect(settings.get()).toEqual({ panel: "closed" });
  });
});

describe("times", () => {
  it.each([
    [0, "0:00"],
    [18.9, "0:18"],
    [-3, "0:00"],
    [3599, "59:59"],
    [3723, "1:02:03"],
  ])("%d seconds on a clock are %s", (seconds, shown) => {
    expect(clockText(seconds)).toBe(shown);
  });

  it.each([
    [300, "5 min", "5분"],
    [30, "30 s", "30초"],
    [90, "1 min 30 s", "1분 30초"],
    [5400, "1 h 30 min", "1시간 30분"],
    [30 * 24 * 3600, "30 d", "30일"],
    [0, "0 s", "0초"],
  ])("a limit of %d seconds is %s", (seconds, english, korean) => {
    chooseLocale(["en"]);
    expect(durationText(seconds)).toBe(english);
    chooseLocale(["ko"]);
    expect(durationText(seconds)).toBe(korean);
  });

  it("warns in the last fifth, but not earlier than two minutes before the end", () => {
    const at = (limit: number, seconds: number) => taskTime(0, limit * 1000, seconds * 1000).state;
    expect([at(300, 239), at(300, 241), at(300, 300)]).toEqual(["running", "soon", "over"]);
    expect([at(3600, 3479), at(3600, 3481)]).toEqual(["running", "soon"]);
  });

  it("waits twice as long each time, up to a limit, and never all at once", () => {
    const waits = [0, 1, 2, 3, 10, 1000].map((attempt) => backoffSeconds(attempt, () => 0.5));
    expect(waits).toEqual([1, 2, 4, 8, 30, 30]);
    expect(backoffSeconds(0, () => 0)).toBe(0.75);
    expect(backoffSeconds(0, () => 1)).toBe(1.25);
  });
});

describe("texts", () => {
  const placeholders = (said: string) => [...said.matchAll(/\{(\w+)\}/g)].map((each) => each[1]);

  it.each(Object.keys(TEXTS.en) as TextKey[])("%s says the same in both languages", (key) => {
    expect(TEXTS.ko[key].trim()).not.toBe("");
    expect(placeholders(TEXTS.ko[key]).sort()).toEqual(placeholders(TEXTS.en[key]).sort());
  });

  it("are in the first language of the browser that is known", () => {
    expect(chooseLocale(["fi", "ko-KR", "en"])).toBe("ko");
    expect(text("signOut")).toBe("로그아웃");
    expect(chooseLocale(["fi"])).toBe("en");
    expect(text("left", { count: 3 })).toBe("3 left");
  });
});

describe("the worker API", () => {
  const api = (status: number, body: string, headers: Record<string, string> = {}) =>
    new Api(async () => new Response(status === 204 ? null : body, { status, headers }));

  it("has no task when there is no content", async () => {
    expect(await api(204, "").take("job")).toBeNull();
  });

  it("tells refusals with their code", async () => {
    const body = '{"error":{"code":"LeaseExpired","message":"late","hint":""}}';
    await expect(api(410, body).resume("lease")).rejects.toMatchObject({
      status: 410,
      code: "LeaseExpired",
      isPassing: false,
    });
  });

  it.each([
    [502, "<html>bad gateway</html>"],
    [200, "<html>sign in to this Wi-Fi</html>"],
  ])("takes what is not the portal's own (%i) for a passing trouble", async (status, body) => {
    await expect(api(status, body).resume("lease")).rejects.toMatchObject({ isPassing: true });
  });

  it("goes by the server's clock when this one is wrong", async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const client = api(204, "", { date });
    await client.take("job");
    expect(client.clockAhead).toBeGreaterThan(3_590_000);
  });
});
