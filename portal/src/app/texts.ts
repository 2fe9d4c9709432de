import type { Locale } from "../frame/protocol";

/** Every text of the pages; `{name}` stands for a value. */
const EN = {
  skip: "Skip to the content",
  signOut: "Sign out",
  signedInAs: "Signed in as {email}",
  jobs: "Jobs",
  jobsTitle: "Jobs ({count})",
  jobsIntro: "Choose a job and start working. A task counts as soon as it is submitted.",
  searchJobs: "Search jobs",
  noJobFound: "No job matches “{query}”.",
  showAll: "Show all jobs",
  noTeam: "You are in no work team yet",
  noTeamHint:
    "Ask your host to add you to one. This page shows your jobs as soon as you are in it.",
  noJobs: "No jobs right now",
  noJobsHint: "This page shows new jobs by itself. You can leave it open.",
  columnJob: "Job",
  columnStatus: "Status",
  columnCreated: "Created",
  columnLeft: "Tasks left for you",
  columnCustomer: "Customer ID",
  columnAction: "Action",
  statusInitializing: "Starting",
  statusInProgress: "In progress",
  statusStopping: "Stopping",
  statusCompleted: "Completed",
  statusFailed: "Failed",
  statusStopped: "Stopped",
  startWorking: "Start working",
  startWorkingOn: "Start working on {title}",
  resumeWork: "Resume",
  resumeWorkOn: "Resume working on {title}",
  openTask: "You have a task open until {time}",
  limitPerTask: "{limit} per task",
  backToJobs: "Back to jobs",
  loading: "Loading…",
  loadingTask: "Opening a task…",
  taskTime: "Task time",
  timeOf: "{elapsed} of {limit}",
  timeLeftSoon: "{left} left for this task",
  timeOver: "Time is over",
  doneHere: "{count} done",
  left: "{count} left",
  decline: "Decline task",
  declineHint: "Give this task to somebody else; you will not get it again",
  release: "Release task",
  releaseHint: "Give this task back; you or somebody else may get it later",
  stop: "Stop and resume later",
  stopHint: "Leave now; this task stays yours until its time is over",
  shortcuts: "Shortcuts",
  shortcutsTitle: "Keyboard shortcuts",
  shortcutsTask: "In the task",
  shortcutsPage: "On this page",
  keyHelp: "Show this list",
  keyLeave: "Leave the task to the page's buttons",
  keyEnterTask: "Go into the task",
  close: "Close",
  cancel: "Cancel",
  retry: "Try again",
  declineQuestion: "Decline this task?",
  declineText:
    "It goes to somebody else, and you will not get it again. Your drawing of it is deleted.",
  taskFrame: "Task: {title}",
  nothingNow: "Nothing to do right now",
  nothingNowHint:
    "All tasks of this job are done or with other people. New ones appear here by themselves; you can leave this page open.",
  lastAsked: "Last asked {time}",
  askNow: "Ask now",
  saved: "Saved here",
  sending: "Saved here, sending…",
  sendingMany: "Saved here, sending {count} answers…",
  waitingNetwork: "Saved here; trying again in {seconds} s",
  offline: "Saved here; no connection",
  sent: "Sent",
  draftBack: "Your drawing is back.",
  expiredTitle: "The time for this task is over",
  expiredText:
    "Your drawing is kept in this browser. Take the task again to go on with it, if nobody else has it by now.",
  takeAgain: "Take it again",
  nextTask: "Next task",
  expiredElsewhere:
    "Somebody else has that task now. Your drawing stays here for a while, in case it comes back to you.",
  answerLate:
    "The time for a task was over before its answer arrived. Your drawing is kept and comes back with the task.",
  answerTwice: "Another answer to that task was accepted before.",
  answerRefused: "An answer was not accepted: {message}",
  stoppedTitle: "This job takes no more answers",
  stoppedText: "It was stopped, or everything is labeled. Thank you for your work.",
  answerStopped: "The job ended before an answer arrived, so it could not be counted.",
  signInTitle: "Please sign in again",
  signInText:
    "Your session ended. Your drawing and the answers that are not sent yet are kept in this browser.",
  signIn: "Sign in",
  otherTabTitle: "This task is open in another tab",
  otherTabText: "Go on in one of them only. What you drew there is brought here.",
  useHere: "Go on here",
  movedTitle: "You went on in another tab",
  movedText: "This tab does nothing until you want to go on here.",
  templateTitle: "This task cannot be shown",
  templateText:
    "Something is wrong with the job's worker template. Please tell your host; it is nothing that you did.",
  frameSilent: "The task's page does not answer. It may lack crowd-html-elements.js.",
  frameError: "A script of this task failed: {message}",
  imageError: "The image cannot be shown: {message}",
  imageErrorTitle: "An image cannot be shown",
  reload: "Load it again",
  unsupported: "Parts of this task are not supported: {tags}",
  recent: "Recent answers",
  recentTitle: "Your recent answers",
  recentText: "You may change an answer while its batch is open.",
  recentNone: "None yet. Answers that you submit here appear in this list for a while.",
  recentItem: "Task {number}, submitted {time}",
  change: "Change",
  changing: "You are changing an answer that you submitted. Submit to replace it.",
  stopChanging: "Keep it as it was",
  changedLate: "That answer is being worked on and cannot be changed any more.",
  failedTitle: "That did not work",
  failedText: "{message}",
  networkTitle: "No connection",
  networkText: "The portal cannot be reached. Your work is kept; this page tries again by itself.",
  notFoundTitle: "There is no such page",
  notFoundText: "The address may be mistyped.",
  jobGoneTitle: "There is no such job",
  jobGoneText: "It may have ended, or you are not in its work team.",
  seconds: "{count} s",
  minutes: "{count} min",
  hours: "{count} h",
  days: "{count} d",
};

export type TextKey = keyof typeof EN;
type Texts = Readonly<Record<TextKey, string>>;

const KO: Texts = {
  skip: "본문으로 건너뛰기",
  signOut: "로그아웃",
  signedInAs: "{email} 계정으로 로그인함",
  jobs: "작업",
  jobsTitle: "작업 ({count})",
  jobsIntro: "작업을 골라 시작하세요. 제출한 태스크는 바로 반영됩니다.",
  searchJobs: "작업 검색",
  noJobFound: "“{query}”에 맞는 작업이 없습니다.",
  showAll: "모든 작업 보기",
  noTeam: "아직 작업 팀에 속해 있지 않습니다",
  noTeamHint: "진행자에게 팀에 추가해 달라고 요청하세요. 추가되면 이 페이지에 작업이 나타납니다.",
  noJobs: "지금은 작업이 없습니다",
  noJobsHint: "새 작업이 생기면 자동으로 나타납니다. 이 페이지를 열어 두어도 됩니다.",
  columnJob: "작업",
  columnStatus: "상태",
  columnCreated: "만든 시각",
  columnLeft: "남은 태스크",
  columnCustomer: "고객 ID",
  columnAction: "동작",
  statusInitializing: "시작하는 중",
  statusInProgress: "진행 중",
  statusStopping: "중지하는 중",
  statusCompleted: "완료",
  statusFailed: "실패",
  statusStopped: "중지됨",
  startWorking: "작업 시작",
  startWorkingOn: "{title} 작업 시작",
  resumeWork: "이어서 하기",
  resumeWorkOn: "{title} 이어서 하기",
  openTask: "{time}까지 열려 있는 태스크가 있습니다",
  limitPerTask: "태스크당 {limit}",
  backToJobs: "작업 목록으로",
  loading: "불러오는 중…",
  loadingTask: "태스크를 여는 중…",
  taskTime: "태스크 시간",
  timeOf: "{elapsed} / {limit}",
  timeLeftSoon: "이 태스크의 시간이 {left} 남았습니다",
  timeOver: "시간 종료",
  doneHere: "{count}개 완료",
  left: "{count}개 남음",
  decline: "태스크 거절",
  declineHint: "이 태스크를 다른 사람에게 넘깁니다. 다시 받지 않습니다",
  release: "태스크 반납",
  releaseHint: "이 태스크를 돌려놓습니다. 나중에 다시 받을 수 있습니다",
  stop: "멈추고 나중에 계속",
  stopHint: "지금 나갑니다. 시간이 끝날 때까지 이 태스크는 계속 맡고 있습니다",
  shortcuts: "단축키",
  shortcutsTitle: "키보드 단축키",
  shortcutsTask: "태스크 안에서",
  shortcutsPage: "이 페이지에서",
  keyHelp: "이 목록 보기",
  keyLeave: "태스크에서 페이지 버튼으로 나가기",
  keyEnterTask: "태스크로 들어가기",
  close: "닫기",
  cancel: "취소",
  retry: "다시 시도",
  declineQuestion: "이 태스크를 거절할까요?",
  declineText: "다른 사람에게 넘어가고 다시 받지 않습니다. 그리던 내용은 삭제됩니다.",
  taskFrame: "태스크: {title}",
  nothingNow: "지금은 할 태스크가 없습니다",
  nothingNowHint:
    "이 작업의 태스크가 모두 끝났거나 다른 사람이 하고 있습니다. 새 태스크는 자동으로 나타나니 이 페이지를 열어 두어도 됩니다.",
  lastAsked: "마지막 확인 {time}",
  askNow: "지금 확인",
  saved: "이 브라우저에 저장됨",
  sending: "저장됨, 보내는 중…",
  sendingMany: "저장됨, 답변 {count}개를 보내는 중…",
  waitingNetwork: "저장됨, {seconds}초 뒤 다시 시도",
  offline: "저장됨, 연결이 끊겼습니다",
  sent: "보냈습니다",
  draftBack: "그리던 내용을 되살렸습니다.",
  expiredTitle: "이 태스크의 시간이 끝났습니다",
  expiredText:
    "그린 내용은 이 브라우저에 남아 있습니다. 다른 사람이 받지 않았다면 다시 받아 이어서 할 수 있습니다.",
  takeAgain: "다시 받기",
  nextTask: "다음 태스크",
  expiredElsewhere:
    "그 태스크는 지금 다른 사람이 하고 있습니다. 다시 돌아올 때를 위해 그린 내용을 한동안 보관합니다.",
  answerLate:
    "답변이 도착하기 전에 태스크 시간이 끝났습니다. 그린 내용은 남아 있고 태스크와 함께 돌아옵니다.",
  answerTwice: "그 태스크에는 이미 다른 답변이 제출되었습니다.",
  answerRefused: "답변이 받아들여지지 않았습니다: {message}",
  stoppedTitle: "이 작업은 더 이상 답변을 받지 않습니다",
  stoppedText: "중지되었거나 모든 라벨링이 끝났습니다. 수고하셨습니다.",
  answerStopped: "답변이 도착하기 전에 작업이 끝나서 반영되지 않았습니다.",
  signInTitle: "다시 로그인해 주세요",
  signInText: "세션이 끝났습니다. 그린 내용과 아직 보내지 못한 답변은 이 브라우저에 남아 있습니다.",
  signIn: "로그인",
  otherTabTitle: "이 태스크가 다른 탭에서 열려 있습니다",
  otherTabText: "한 탭에서만 계속하세요. 그 탭에서 그린 내용을 여기로 가져옵니다.",
  useHere: "여기서 계속",
  movedTitle: "다른 탭에서 계속하고 있습니다",
  movedText: "여기서 계속하기를 누를 때까지 이 탭은 멈춰 있습니다.",
  templateTitle: "이 태스크를 보여 줄 수 없습니다",
  templateText: "작업 템플릿에 문제가 있습니다. 진행자에게 알려 주세요. 작업자의 잘못이 아닙니다.",
  frameSilent: "태스크 페이지가 응답하지 않습니다. crowd-html-elements.js가 빠졌을 수 있습니다.",
  frameError: "이 태스크의 스크립트가 실패했습니다: {message}",
  imageError: "이미지를 보여 줄 수 없습니다: {message}",
  imageErrorTitle: "이미지를 보여 줄 수 없습니다",
  reload: "다시 불러오기",
  unsupported: "이 태스크에는 지원하지 않는 부분이 있습니다: {tags}",
  recent: "최근 답변",
  recentTitle: "최근에 제출한 답변",
  recentText: "배치가 열려 있는 동안 답변을 고칠 수 있습니다.",
  recentNone: "아직 없습니다. 여기서 제출한 답변이 한동안 이 목록에 나타납니다.",
  recentItem: "태스크 {number}, {time} 제출",
  change: "고치기",
  changing: "제출한 답변을 고치는 중입니다. 제출하면 바뀝니다.",
  stopChanging: "그대로 두기",
  changedLate: "그 답변은 이미 처리 중이라 고칠 수 없습니다.",
  failedTitle: "문제가 발생했습니다",
  failedText: "{message}",
  networkTitle: "연결할 수 없습니다",
  networkText: "포털에 연결할 수 없습니다. 작업은 남아 있으며 자동으로 다시 시도합니다.",
  notFoundTitle: "페이지가 없습니다",
  notFoundText: "주소를 다시 확인하세요.",
  jobGoneTitle: "그런 작업이 없습니다",
  jobGoneText: "작업이 끝났거나 작업 팀에 속해 있지 않습니다.",
  seconds: "{count}초",
  minutes: "{count}분",
  hours: "{count}시간",
  days: "{count}일",
};

export const TEXTS: Readonly<Record<Locale, Texts>> = { en: EN, ko: KO };

let current: Locale = "en";

/** The language of the pages. */
export function locale(): Locale {
  return current;
}

/** Speak the first of the browser's languages that the pages know. */
export function chooseLocale(languages: readonly string[]): Locale {
  const codes = languages.map((language) => language.toLowerCase().split("-")[0]);
  const known = codes.find((code): code is Locale => code === "en" || code === "ko");
  current = known ?? "en";
  return current;
}

/** A text in the current language, with its values filled in. */
export function text(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[current][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

/** A moment as date and time, short, in the current language. */
export function dateTime(moment: Date): string {
  return new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(
    moment,
  );
}

/** A moment as time of day. */
export function timeOfDay(moment: Date): string {
  return new Intl.DateTimeFormat(current, { timeStyle: "short" }).format(moment);
}

/** A whole number with its separators. */
export function wholeNumber(value: number): string {
  return new Intl.NumberFormat(current).format(value);
}
