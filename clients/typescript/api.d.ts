// Printed from exports/openapi.json by `make docs`; a test holds it to that. Do not edit.

import type { Listing, Options, ServerEvent, Upload } from "./index.js";

/** An account. */
export interface Account {
  /** Since when the account is closed. */
  closed_at?: string | null;
  /** When the account was opened. */
  created_at: string;
  /** Their address. */
  email: string;
  /** Their name. */
  name: string;
  /** Since when the person's data may only be kept. */
  restricted_at?: string | null;
  /** The person's id. */
  subject: string;
  /** Whose app it is. */
  tenant: string;
  /** What they are called in the app. */
  username: string;
}

/** What was taken down. */
export interface Acknowledged {
  /** When it was acknowledged first. */
  acknowledged_at: string;
  /** The version. */
  version: string;
}

/** What went wrong, as the protocol tells it. */
export interface AgentError {
  /** The status, as text. */
  code: string;
  /** Whether the same message can never be taken. */
  fatal?: boolean;
  /** A sentence. */
  message: string;
}

/** A pairing: the token is shown this once. */
export interface AgentPaired {
  /** The agent. */
  "agent-id": string;
  /** What its calls are sent with, until it pairs anew. */
  token: string;
}

/** How something stands that an agent asked for (Data Rights Protocol 1.0, 3.03). */
export interface AgentRequest {
  /** What the agent calls it. */
  agent_request_id?: string | null;
  /** By when there is an answer. */
  expected_by?: string | null;
  /** Until when they can, or the result can be had. */
  expires_at?: string | null;
  /** A sentence on it. */
  processing_details?: string | null;
  /** Why: `need_user_verification`, `claim_not_covered`, and so on. */
  reason?: string | null;
  /** When it came. */
  received_at: string;
  /** Its id. */
  request_id: string;
  /** Where the person, and nobody else, finds the result. */
  results_url?: string | null;
  /** `in_progress`, `fulfilled`, `revoked`, `denied`, `expired`. */
  status: string;
  /** Where the person confirms it. The same for an address that nobody has. */
  user_verification_url?: string | null;
}

/** An image that was taken in. */
export interface Arrived {
  /** Bytes, after what the camera wrote into it was taken out. */
  bytes: number;
  /** `jpeg`, `png` or `webp`, found by content. */
  format: string;
  /** When it goes in any case. */
  goes_at?: string | null;
  /** Pixels down. */
  height: number;
  /** Its id. */
  id: string;
  /** What was taken out of it before it was stored. */
  removed: Array<string>;
  /** Pixels across. */
  width: number;
}

/** An edit to be made. */
export interface Asked {
  /** The images, the first of which is edited; 1 to 4. */
  inputs: Array<string>;
  model?: ModelChoice | null;
  /** What to do, in the person's words; at most 2,000 characters. May be left out when a style is chosen. */
  prompt?: string;
  provider?: ProviderChoice | null;
  /** How. */
  settings?: Settings;
}

/** A mandate that was asked for. The same whether we know the person or not. */
export interface AskedFor {
  /** Until when the person can answer. */
  answer_until: string;
  /** Its id. */
  id: string;
}

/** Edits that were asked for in one go. */
export interface Batch {
  /** One an image, in their order. */
  edits: Array<Edit>;
  /** The id that they have in common: `GET /v1/edits?batch=…` lists them. */
  id: string;
}

/** The same edit of each of several images. */
export interface BatchAsked {
  /** The images, each of which is edited by itself; 1 to 20. */
  inputs: Array<string>;
  model?: ModelChoice | null;
  /** What to do with each, in the person's words; at most 2,000 characters. May be left out when a style is chosen. */
  prompt?: string;
  provider?: ProviderChoice | null;
  /** How. */
  settings?: Settings;
}

/** How every rule stands, now. */
export interface Board {
  /** When this was looked at. */
  checked_at: string;
  /** One row for each category and rule. */
  items: Array<Kept>;
  /** Things past their time, over all rules. Zero is a kept promise. */
  overdue: number;
  /** Rights requests whose promised time is over and that are not answered. */
  overdue_requests: number;
}

/** What an archive brings. */
export interface Brought {
  /** Whether it was all here already: brought in before, or never gone. Then nothing of it was taken. */
  already_here: boolean;
  /** The entry of the ledger that says what was taken, if anything was. */
  entry?: string | null;
  /** Where it comes from, as it says itself. */
  from: ImportedFrom;
  /** Its pictures. */
  images: ImportCount;
  /** What else is in it and is never taken: consents, credits and so on. */
  left: Array<string>;
  /** Its records, by category. */
  records: Record<string, ImportCount>;
}

/** A change of a person's credits. */
export interface Change {
  /** More or, below zero, fewer. */
  amount: number;
  /** When. */
  at: string;
  /** What was left after it. */
  balance: number;
  /** The edit it was for. */
  edit?: string | null;
  /** Why. */
  reason: string;
}

/** How a person stands to a purpose. */
export interface Choice {
  /** What it is called. */
  label: string;
  last?: Word | null;
  /** Off until a yes; otherwise on until an objection. */
  needs_consent: boolean;
  /** Whether it is on. */
  on: boolean;
  /** The purpose. */
  purpose: string;
  /** What it means, in plain words: what must be shown beside the switch. */
  text: string;
}

/** How a person stands to everything they have a say in. */
export interface Choices {
  /** In the order of the document. */
  items: Array<Choice>;
}

/** A clause. */
export interface Clause {
  /** Its id: the anchor on the policy's page. */
  id: string;
  /** 1 to 6. */
  level: number;
  /** The rules that bind it. */
  rules: Array<string>;
  /** What it says. */
  text: string;
  /** Its heading. */
  title: string;
}

/** How a clause stands: as badly as the worst of its rules. */
export interface ClauseStanding {
  /** When that was last checked. */
  checked_at?: string | null;
  /** The anchor of its heading on the policy's page. */
  clause: string;
  /** The figure of the rule that decides. */
  figure?: string | null;
  /** Where the ledger entry that shows it can be read and verified. */
  proof?: string | null;
  /** Every rule behind it, worst first. */
  rules: Array<RuleStanding>;
  /** `kept`, `attested`, `waiting`, `at-risk`, `overdue`, `broken`; absent when the clause promises nothing. */
  state?: string | null;
  /** Its heading. */
  title: string;
}

/** Account data as they should be. */
export interface Corrected {
  /** The address. */
  email: string;
  /** The name. */
  name: string;
  /** What they are called in the app. */
  username: string;
}

/** What to correct. What is left out stays as it is. */
export interface Correction {
  /** The address. */
  email?: string | null;
  /** The name. */
  name?: string | null;
  /** What they are called in the app. */
  username?: string | null;
}

/** What a person has left, and the newest changes. */
export interface Credits {
  /** What is left. */
  balance: number;
  /** A page of changes, newest first. */
  history: Listing<Change>;
}

/** Something that a webhook was told, or is to be. */
export interface Delivery {
  /** When it happened. */
  at: string;
  /** What happened. */
  event: string;
  /** Why the last try came to nothing, in a word. */
  failure?: string | null;
  /** Its id. */
  id: string;
  /** What the receiver sees as `webhook-id`, the same on every try. */
  message: string;
  /** How long the last answer took, in milliseconds. */
  millis?: number | null;
  /** When it is tried next. */
  next_at?: string | null;
  /** `waiting`, `delivered`, or `failed` when it is not tried any more. */
  state: string;
  /** The status of the last answer. */
  status?: number | null;
  /** When it was tried last. */
  tried_at?: string | null;
  /** How often it was tried. */
  tries: number;
}

/** An image, and why it is still here. */
export interface Details {
  /** The clause that declares it. */
  clause: string;
  /** What of it is held. */
  holds: string;
  /** The image. */
  image: Image;
  /** The version of the document it was collected under. */
  policy_version: string;
  /** The retention rule that will end it. */
  rule?: string | null;
  /** What each rule says of it, the one that comes first first. */
  rules: Array<Reading>;
  /** What it is, in the document's words. */
  title: string;
}

/** A policy document. */
export interface Document {
  /** Its clauses, in order. */
  clauses: Array<Clause>;
  /** Since when it is in force. */
  effective: string;
  /** Its rules, by kind, every default filled in. */
  rules: unknown;
  /** SHA-256 of its source, as published on the ledger. */
  sha256: string;
  /** The document as it was written: Markdown with rule blocks. */
  source: string;
  /** Whose it is. */
  tenant: string;
  /** What it is called. */
  title: string;
  /** Its version. */
  version: string;
  /** The versions there were, oldest first. */
  versions: Array<string>;
}

/** An edit. */
export interface Edit {
  /** What it was asked for together with. */
  batch?: string | null;
  /** Credits. Given back unless it succeeds; for pictures that were asked for and not made, in part. */
  cost: number;
  /** When it was asked for. */
  created_at: string;
  /** When it was over. */
  ended_at?: string | null;
  /** Why it failed. */
  error?: string | null;
  /** Its id. */
  id: string;
  /** How many pictures were asked for. */
  images: number;
  /** The images it was made from. They are gone when it has succeeded. */
  inputs: Array<string>;
  /** Which model. */
  model: string;
  /** The result; of several variations the first. */
  output?: string | null;
  /** All results, variations included. */
  outputs: Array<string>;
  /** 0 to 100. */
  progress: number;
  /** Who does it. */
  provider: string;
  /** When it began. */
  started_at?: string | null;
  /** How it stands. */
  state: EditState;
}

/** How an edit stands. */
export type EditState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** A recipient that was told of a request. */
export interface Elsewhere {
  /** When it was proved. */
  done_at?: string | null;
  /** By when it must be done. */
  due: string;
  /** When it is tried again. */
  next_try?: string | null;
  /** Why it is not done yet. */
  problem?: string | null;
  /** How that is known. */
  proof?: string | null;
  /** Who, by its name in the policy. */
  recipient: string;
  /** How far it is: `open`, `stays` (whatever may go is gone), `done`. */
  state: string;
  stays?: Stays | null;
  /** What it was told to do: `correct`, `erase`. */
  task: string;
}

/** An account that is closed, or is being closed. */
export interface Ending {
  /** Since when it is closed, on the word of its app. */
  closed_at?: string | null;
  request?: Request | null;
}

/** A version, as one had it. */
export interface Era {
  /** When the person said that they had read of it. */
  acknowledged_at?: string | null;
  /** Since when it is in force for the person: since its day, or since they came. May lie ahead. */
  from: string;
  /** When the letter about it was sent. */
  mailed_at?: string | null;
  /** Since when the notice of it stands in the privacy centre. */
  posted_at?: string | null;
  /** SHA-256 of its source, as published on the ledger. */
  sha256: string;
  /** Until when, if a later version is published. */
  until?: string | null;
  /** The version. */
  version: string;
  /** The words that the person gave under it, oldest first. */
  words: Array<Given>;
}

/** Something that happened to a request. */
export interface Event {
  /** When. */
  at: string;
  /** The ledger entry that proves it. */
  entry?: string | null;
  /** A word on it. */
  note?: string | null;
  /** Who did it, by role. */
  role: string;
  /** What. */
  what: string;
}

/** A request that was filed under a mandate. */
export interface FiledUnder {
  request?: ToldRequest | null;
}

/** A word given under a version. */
export interface Given {
  /** When. */
  at: string;
  /** The purpose. */
  purpose: string;
  /** `given`, `refused`, `withdrawn` or `objected`. */
  state: string;
}

/** Credits to be granted. */
export interface Grant {
  /** How many: 1 to 1,000,000. */
  amount: number;
  /** Why. */
  reason: Reason;
  /** To whom. */
  subject: string;
}

/** What a person has after a grant. */
export interface Granted {
  /** What is left. */
  balance: number;
}

/** A hold. */
export interface Hold {
  /** Since when. */
  approved_at?: string | null;
  /** The second person who answers for it. */
  approved_by?: string | null;
  /** What it concerns. */
  category?: string | null;
  /** Its id. */
  id: string;
  /** The matter. */
  matter: string;
  /** When. */
  placed_at: string;
  /** Who placed it. */
  placed_by: string;
  /** Why. */
  reason: string;
  /** When it was lifted. */
  released_at?: string | null;
  /** When it must be looked at again. */
  review_at: string;
  /** Whom it concerns. */
  subject?: string | null;
  /** When the person was told. */
  told_at?: string | null;
  /** Why the person must not be told. */
  untold?: string | null;
}

/** Every hold. */
export interface Holds {
  /** Newest first, lifted ones included. */
  items: Array<Hold>;
}

/** An image at rest. */
export interface Image {
  /** Bytes. */
  bytes: number;
  /** `input-image` for an upload, `output-image` for a result. */
  category: string;
  /** The edit it belongs to. */
  edit?: string | null;
  /** When it goes, if a clock runs. */
  goes_at?: string | null;
  /** Pixels down. */
  height?: number | null;
  /** Its id. */
  id: string;
  /** Its media type. */
  media_type: string;
  /** When it was stored. */
  stored_at: string;
  /** Pixels across. */
  width?: number | null;
}

/** How many there are of a sort. */
export interface ImportCount {
  /** Here already. */
  here: number;
  /** Not here yet: taken, or to be taken. */
  new: number;
  /** Not of a sort that is taken here. */
  refused: number;
}

/** Where an archive comes from. */
export interface ImportedFrom {
  /** Who answers for the data there. */
  controller: string;
  /** When it was made. */
  made_at: string;
  /** The request that it answered. */
  reference: string;
  /** The key that signed it: `name+id+base64`. The signature holds; whose the key is, only a comparison says. */
  signed_by: string;
  /** Whether that is this installation's own key. */
  signed_here: boolean;
  /** The service. */
  tenant: string;
}

/** What is asked for in the person's name. */
export interface InTheirName {
  /** Of an objection or a withdrawal: the purpose. */
  purpose?: string | null;
  /** What is asked for: `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `withdrawal`. */
  right: string;
  /** What the agent writes, at most 4,000 characters. */
  text?: string | null;
}

/** How a rule on how long things are kept stands. */
export interface Kept {
  /** What it is about. */
  category: string;
  /** Erased in the last day. */
  erased_day: number;
  /** Erased in the last thirty days. */
  erased_month: number;
  /** Whether nothing is past its time. */
  kept: boolean;
  /** By how much the longest overdue is late, in seconds. */
  late_by?: number | null;
  /** Things alive. */
  live: number;
  /** When the next goes. */
  next_due?: string | null;
  /** When the oldest was stored. */
  oldest?: string | null;
  /** Of them, past their time. */
  overdue: number;
  /** The rule; empty when none ends it yet. */
  rule: string;
  /** The rule in words. */
  says: string;
  /** Its name for people. */
  title: string;
}

/** What became of a letter. Never whether its writer has an account. */
export interface LetterTaken {
  /**
   * `taken`: its writer was asked to confirm it. `again`: it was linked to one that waits. `automatic`: a machine wrote
   * it, and it was left alone. `not-a-request`: it is for people to read.
   */
  outcome: string;
}

/** What a person is called elsewhere. */
export interface Link {
  /** What they are called there: a customer of Stripe, a user of Supabase. */
  account: string;
  /** The recipient, by its name in the policy. */
  recipient: string;
  /** Who. */
  subject: string;
}

/** A person as an identity provider knows them. */
export interface Login {
  /** The `iss` claim of its tokens. */
  issuer: string;
  /** The `sub` claim of this person's tokens. */
  subject: string;
}

/** A mandate that one gave. */
export interface MandateGiven {
  /** Who acts. */
  agent: string;
  /** Where they can be written to. */
  contact: string;
  /** When it ended before its day. */
  ended_at?: string | null;
  /** Whether it holds now. */
  holds: boolean;
  /** Its id. */
  id: string;
  /** For which rights. */
  rights: Array<string>;
  /** Whether the agent is told how requests stand. */
  tells_status: boolean;
  /** Until when. */
  until: string;
}

/** The mandates that one gave. */
export interface MandatesGiven {
  /** Newest first. */
  items: Array<MandateGiven>;
}

/** Which model, in the words of the documents. */
export type ModelChoice = "pro" | "max";

/** A webhook to be. */
export interface NewWebhook {
  /** What it is told of; of everything, if left out. */
  events?: Array<string> | null;
  /** What to call it. */
  label?: string | null;
  /** The address: https, port 443, a public host. In development, this machine too. */
  url: string;
}

/** An account that was opened. */
export interface Opened {
  /** The person's id, for `Vouchsafe-Subject`. */
  subject: string;
}

/** An account to be. */
export interface Opening {
  /** The person's address. */
  email: string;
  login?: Login | null;
  /** Their name, as they wrote it. */
  name: string;
  /** What they are called in the app. */
  username: string;
}

/** A hold to be. "Just in case" is none. */
export interface Placing {
  /** The category it concerns; everything if left out. */
  category?: string | null;
  /** The claim, order or case: a name, not a description. */
  matter: string;
  /** Why disposal must stop. */
  reason: string;
  /** When it must be looked at again: within 90 days. */
  review_at: string;
  /** Whom it concerns; everybody if left out. */
  subject?: string | null;
  /** Why the person it concerns must not be told. Left out, they are told, with the reason. */
  untold?: string | null;
}

/** A person's choice for edits to come. */
export interface Preference {
  /** Which model. */
  model?: ModelChoice;
  provider?: ProviderChoice | null;
}

/** A problem as it is sent. */
export interface Problem {
  /** What is wrong with what was sent, where that may be told. */
  detail?: string | null;
  /** What to quote when asking about it. */
  reference?: string | null;
  /** The status. */
  status: number;
  /** A fixed sentence. */
  title: string;
  /** Which problem: a stable word after `urn:vouchsafe:`. */
  type: string;
}

/** Whether what is promised is being kept. */
export interface PromiseBoard {
  /** When the newest of the checks behind this was made; absent when none was. */
  checked_at?: string | null;
  /** Every clause, in the document's order. */
  clauses: Array<ClauseStanding>;
  /** Since when it is in force. */
  effective: string;
  /** How many rules stand how. */
  tally: Tally;
  /** Whose document. */
  tenant: string;
  /** The version in force. */
  version: string;
}

/** A mandate to be confirmed. */
export interface Proposing {
  /** Who the agent is, as the person is told. */
  agent: string;
  /** Where the agent can be written to. */
  contact: string;
  /** The address of the person in whose name the agent asks. */
  email: string;
  /** What the agent asks for first. */
  first: InTheirName;
  /** Which rights the mandate is for. */
  rights: Array<string>;
  /** Whether the agent wants to be told how requests stand. The person decides. */
  tell_status?: boolean | null;
  /** Until when it holds, at most a year. */
  until: string;
}

/** Who does the edit. */
export type ProviderChoice = "studio" | "fal-ai" | "replicate";

/** A request as staff see it. */
export type Queued = Request & {
  /** How loudly its clocks call: `quiet`, `promise-near`, `promise-missed`, `law-near`, `law-missed`. */
  alarm: string;
  /** Whose it is; nobody's once they were erased. */
  subject?: string | null;
};

/** What a rule says of an image. */
export interface Reading {
  /** What happens then. */
  action: string;
  /** When, if its clock runs. */
  at?: string | null;
  /** The clause to read. */
  clause: string;
  /** The rule. */
  rule: string;
  /** In words. */
  says: string;
}

/** An archive that can be had. */
export interface Ready {
  /** Its length in bytes. */
  bytes: number;
  /** What was held at this moment is in it, as far as it still is. */
  made_at: string;
  /** SHA-256 of its manifest. */
  manifest_sha256: string;
  /** Until when it can be had. */
  until: string;
}

/** Why credits are granted. */
export type Reason = "purchase" | "gift" | "refund";

/** A rights request. */
export interface Request {
  /** Of an objection or withdrawal the purpose; of a restriction `on` or `off`. */
  about?: string | null;
  /** When it was answered. */
  answered_at?: string | null;
  archive?: Ready | null;
  /** How it came in. */
  channel: string;
  /** When it was closed or taken back. */
  closed_at?: string | null;
  /** Until when an erasure can be taken back. */
  grace_until?: string | null;
  /** Its id. */
  id: string;
  /** By when the law wants one. */
  lawful_until: string;
  /** How it ended, in a word. */
  outcome?: string | null;
  /** Why it is held up. It is tried again by itself. */
  problem?: string | null;
  /** By when the document promises an answer. */
  promised_by: string;
  /** Its receipt, for `/v1/receipts/{id}`. */
  receipt?: string | null;
  /** When it reached us. */
  received_at: string;
  /** The number to read out. */
  reference: string;
  /** What is asked for. */
  right: string;
  /**
   * Where it stands: `received`, `acknowledged`, `identity-pending`, `grace`, `working`, `fulfilled`,
   * `partly-fulfilled`, `refused`, `no-data`, `closed`, `withdrawn`.
   */
  state: string;
}

/** How a rule stands. */
export interface RuleStanding {
  /** The check that it stands on; absent for what people vouch for. */
  check?: string | null;
  /** When it was last checked; absent when nothing has looked yet. */
  checked_at?: string | null;
  /** The id of the ledger entry that shows it. */
  entry?: string | null;
  /** The figure behind that. */
  figure: string;
  /** Its kind: `retention`. */
  kind: string;
  /** What it promises, in a few words. */
  promise: string;
  /** Where that entry can be read and verified. */
  proof?: string | null;
  /** Its full name: `retention.input-image`. */
  rule: string;
  /** `kept`, `attested`, `waiting`, `at-risk`, `overdue`, `broken`. */
  state: string;
}

/** The settings of an edit: all optional. One that whoever does the edit does not have is refused, not ignored. */
export interface Settings {
  /** Such as `1:1` or `16:9`; as the upload unless asked. Replicate knows a few more than the others. */
  aspect_ratio?: string | null;
  /** Whether the provider may rewrite the words before it uses them. Not in the studio. */
  enhance_prompt?: boolean | null;
  /** How closely to follow the words, 1 to 20. Not at Replicate. */
  guidance?: number | null;
  /** How many variations to make, 1 to 4, each at the price of one; more than one at FAL.AI only. */
  images?: number | null;
  /** `jpeg` or `png`, in the studio also `webp`; as the upload unless asked. */
  output_format?: string | null;
  /** How much the provider's safety filter lets through: 0 (least) to 6, at Replicate to 2. 2 unless asked. */
  safety?: number | null;
  /** The same seed gives the same result. */
  seed?: number | null;
  /** A named style. */
  style?: string | null;
}

/** How the service stands. */
export interface Standing {
  /** The main database answers. */
  database: boolean;
  /**
   * What a witness of the ledger says against it and shows nothing for. The service goes on without its signature and
   * asks it again; somebody should ask its owner.
   */
  doubted?: string | null;
  /** The keystore answers. */
  keystore: boolean;
  /**
   * The ledger is the one that signed the newest head known. `false` after a restore from a backup, until every
   * erasure since has been done again.
   */
  ledger: boolean;
  /** Whether it can do its work. */
  ready: boolean;
  /** Why the service is shut, when it is: a backup was put back, and what happened since is being done again. */
  shut?: string | null;
}

/** How a mandate stands. */
export interface Stands {
  /** The requests under it, if the person lets the agent be told. What they bring to light goes to the person alone. */
  requests: Array<ToldRequest>;
  /**
   * `asked`, `not-confirmed`, `confirmed`, `ended`. Who said no, who did not answer and who is not known here look the
   * same.
   */
  state: string;
  /** Until when it holds. */
  until: string;
}

/** What stays at a recipient. */
export interface Stays {
  /** How many payments and invoices. */
  records: number;
  /** Until when. */
  until?: string | null;
  /** Why. */
  why: string;
}

/** A switch. */
export interface Switch {
  /** On or off, by the person's own act. */
  on: boolean;
}

/** A word that was taken down. */
export interface Taken {
  /** Whether it is on now. */
  on: boolean;
  /** The purpose. */
  purpose: string;
  /** The receipt, for `/v1/receipts/{id}`: it verifies offline. */
  receipt: string;
}

/** How many rules stand how. */
export interface Tally {
  /** Kept, but a limit is near or the check is late. */
  "at-risk": number;
  /** Somebody vouched for it, and that is fresh. */
  attested: number;
  /** The last check found that it is not kept. */
  broken: number;
  /** The last check found nothing against it. */
  kept: number;
  /** Somebody should have vouched for it by now and has not. */
  overdue: number;
  /** Nothing has checked it, or nothing could: nothing is claimed. */
  waiting: number;
}

/** What one had in force when. */
export interface Timeline {
  /** The versions, oldest first; one that is only announced is the last. */
  items: Array<Era>;
  /** Versions that one was told of and has not acknowledged. */
  unread: Array<Unread>;
}

/** An edit, and what was asked. */
export type Told = Edit & {
  /** What to do, in the person's words, as long as it is kept. */
  prompt?: string | null;
  settings?: Settings | null;
};

/** A request as an agent is told of it. */
export interface ToldRequest {
  /** By when the document promises an answer. */
  promised_by: string;
  /** The number to read out. */
  reference: string;
  /** What is asked for. */
  right: string;
  /** Where it stands. */
  state: string;
}

/** A version that one was told of. */
export interface Unread {
  /** Whether something in it needs a yes, which is off until it is given. */
  asks_again: boolean;
  /** What it changes for people, a sentence each. */
  changes: Array<string>;
  /** From when it is in force. */
  effective: string;
  /** The version. */
  version: string;
}

/** A webhook. */
export interface Webhook {
  /** What it is told of; of everything, if empty. */
  events: Array<string>;
  /** Since when nothing got through. */
  failing_since?: string | null;
  /** Its id. */
  id: string;
  /** What it is called. */
  label: string;
  /** When it was made. */
  made_at: string;
  /** Until when the secret before this one signs as well. */
  old_secret_until?: string | null;
  /** How it stands. */
  state: WebhookState;
  /** The address. */
  url: string;
}

/** What to change of a webhook. What is left out stays as it is. */
export interface WebhookChange {
  /** What it is told of; of everything, if empty. */
  events?: Array<string> | null;
  /** What to call it. */
  label?: string | null;
  /** Whether it is told of events. Turned on again, it is told what waits for it, and not what happened meanwhile. */
  on?: boolean | null;
  /** The address. */
  url?: string | null;
}

/** A webhook, and its secret, which is shown this once. */
export interface WebhookSecret {
  /** What its messages are signed with. */
  secret: string;
  /** The webhook. */
  webhook: Webhook;
}

/** How a webhook stands. */
export type WebhookState = "on" | "off" | "gone" | "failing";

/** All webhooks of an app. */
export interface Webhooks {
  /** They, the oldest first. */
  items: Array<Webhook>;
}

/** A request to be. */
export interface Wish {
  /** Of an erasure: `true` to do without the time in which it can be taken back. */
  at_once?: boolean | null;
  correction?: Corrected | null;
  /** Of a restriction: `true` unless it is to be lifted. */
  on?: boolean | null;
  /** Of an objection or a withdrawal: the purpose. */
  purpose?: string | null;
  /** What is asked for: `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `withdrawal`. */
  right: string;
  /** In the person's own words, at most 4,000 characters. */
  text?: string | null;
}

/** A person's word. */
export interface Word {
  /** When. */
  at: string;
  /** The ledger entry that proves it. */
  entry?: string | null;
  /** How: `privacy-centre`, `api`, `sign-up`, `request`. */
  method: string;
  /** The version of the document that was in force. */
  policy_version: string;
  /** The purpose. */
  purpose: string;
  /** `given`, `refused`, `withdrawn` or `objected`. */
  state: string;
}

/** Every word of a person. */
export interface Words {
  /** Newest first. */
  items: Array<Word>;
}

/** What an app can call. */
export interface Api {
  /** A person, as far as the app needs to know them. */
  accounts: {
    /**
     * Say that one has read of a new version
     *
     * It is no consent: what needs a yes stays off until `/v1/consents/{purpose}` says otherwise. Again is harmless.
     *
     * `PUT /v1/account/policies/{version}/acknowledgement`
     */
    acknowledge(version: string, options?: Options): Promise<Acknowledged>;
    /**
     * Close one's account
     *
     * Asked for by the person, it is an erasure: everything goes when the time is over in which it can be taken back, with
     * `POST /v1/requests/{id}/cancel`. It needs a proof of who they are that is less than an hour old. An app's key with
     * `accounts` closes an account of its own users on its own word, at once: every session ends, and what the policy ties to
     * the closing goes by its clocks. Neither while the address is new.
     *
     * `POST /v1/account/close`
     */
    close(options?: Options): Promise<Ending>;
    /**
     * Correct one's account
     *
     * A new address counts once the link in the letter to it was opened, which works for a day; the account is told as it is
     * until then, and the answer is the same whether the address can be had or not. It needs a proof of who asks that is less
     * than an hour old. An app's key with `accounts` vouches for the addresses of its own users: those count at once, and all
     * sessions end.
     *
     * `PATCH /v1/account`
     */
    correct(body: Correction, options?: Options): Promise<Account>;
    /**
     * Say what a person is called at a recipient
     *
     * From then on what is held there is in their archive, is corrected with the account and is erased with it. Only the
     * app's server can say so: whoever could name somebody else's customer would get at their payments.
     *
     * `POST /v1/accounts/elsewhere`
     */
    link(body: Link, options?: Options): Promise<void>;
    /**
     * Open an account for a person
     *
     * `POST /v1/accounts`
     */
    open(body: Opening, options?: Options & { idempotencyKey?: string }): Promise<Opened>;
    /**
     * Say what one prefers
     *
     * It counts for every edit that is asked for without a model, or without a provider.
     *
     * `PUT /v1/account/preferences`
     */
    prefer(body: Preference, options?: Options): Promise<Preference>;
    /**
     * One's preferences for edits
     *
     * For a person who never said: the usual ones.
     *
     * `GET /v1/account/preferences`
     */
    preferences(options?: Options): Promise<Preference>;
    /**
     * Read one's account
     *
     * `GET /v1/account`
     */
    read(options?: Options): Promise<Account>;
    /**
     * Which version of the document one had in force when
     *
     * With what one was told of each, when and how, and the words one gave under it.
     *
     * `GET /v1/account/policies`
     */
    timeline(options?: Options): Promise<Timeline>;
  };
  /** What a person agreed to, refused, took back or objected to. */
  consents: {
    /**
     * Every word one gave
     *
     * `GET /v1/consents/history`
     */
    history(options?: Options): Promise<Words>;
    /**
     * How one stands to each purpose one has a say in
     *
     * `GET /v1/consents`
     */
    read(options?: Options): Promise<Choices>;
    /**
     * Turn a purpose on or off
     *
     * Counts from the same second. Turning off what needs no consent is an objection (Art. 21 GDPR).
     *
     * `PUT /v1/consents/{purpose}`
     */
    set(purpose: string, body: Switch, options?: Options): Promise<Taken>;
  };
  /** What a person has left. */
  credits: {
    /**
     * Grant credits to a person
     *
     * `POST /v1/credits`
     */
    grant(body: Grant, options?: Options & { idempotencyKey?: string }): Promise<Granted>;
    /**
     * One's credits, and where they went
     *
     * `GET /v1/credits`
     */
    read(query?: { cursor?: string; limit?: number }, options?: Options): Promise<Credits>;
  };
  /** From what was asked to the result. */
  edits: {
    /**
     * Ask for the same edit of each of several images
     *
     * One edit an image, each followed, stopped and paid by itself. All of them are taken, or none is.
     *
     * `POST /v1/edits/batch`
     */
    batch(body: BatchAsked, options?: Options & { idempotencyKey?: string }): Promise<Batch>;
    /**
     * Stop an edit
     *
     * Its credits are given back.
     *
     * `POST /v1/edits/{id}/cancel`
     */
    cancel(id: string, options?: Options): Promise<Edit>;
    /**
     * Ask for an edit
     *
     * Checked against the document, restriction and credits; then queued. Nothing is changed when it is refused.
     *
     * `POST /v1/edits`
     */
    create(body: Asked, options?: Options & { idempotencyKey?: string }): Promise<Edit>;
    /**
     * Delete an edit that is over
     *
     * With everything that was kept for it: prompt, settings, history, result.
     *
     * `DELETE /v1/edits/{id}`
     */
    delete(id: string, options?: Options): Promise<void>;
    /**
     * How an edit gets on
     *
     * Server-sent events, each with the edit as its data: first `progress` with how it stands now, one more for each
     * change, and at its end `succeeded`, `failed` or `cancelled`, after which the stream ends. Whoever comes back with
     * `Last-Event-ID` is not told that again; after the end there is nothing more to tell, and the answer is 204.
     *
     * `GET /v1/edits/{id}/events`
     */
    events(id: string, options?: Options & { lastEventId?: string }): AsyncIterable<ServerEvent<Edit>>;
    /**
     * One's edits, newest first
     *
     * All of them, or those that fit everything that is asked for.
     *
     * `GET /v1/edits`
     */
    list(query?: { state?: EditState; model?: ModelChoice; provider?: ProviderChoice; batch?: string; since?: string; until?: string; cursor?: string; limit?: number }, options?: Options): Promise<Listing<Edit>>;
    /**
     * An edit, and what was asked
     *
     * `GET /v1/edits/{id}`
     */
    read(id: string, options?: Options): Promise<Told>;
  };
  /** Uploads and results, sealed under their owner's own key. */
  images: {
    /**
     * Delete an image
     *
     * Its key is destroyed at once, its bytes after it. There is no way back.
     *
     * `DELETE /v1/images/{id}`
     */
    delete(id: string, options?: Options): Promise<void>;
    /**
     * Why an image is here, and when it goes
     *
     * `GET /v1/images/{id}/details`
     */
    details(id: string, options?: Options): Promise<Details>;
    /**
     * One's images, newest first
     *
     * `GET /v1/images`
     */
    list(query?: { category?: string; cursor?: string; limit?: number }, options?: Options): Promise<Listing<Image>>;
    /**
     * An image's bytes
     *
     * Streams. Takes a `Range` of bytes, so that a download that broke off can be taken up again.
     *
     * `GET /v1/images/{id}`
     */
    read(id: string, options?: Options & { range?: string }): Promise<globalThis.Response>;
    /**
     * A small copy of an image
     *
     * At most 480 pixels on the longer edge. Made anew each time, and kept nowhere.
     *
     * `GET /v1/images/{id}/small`
     */
    small(id: string, options?: Options): Promise<globalThis.Response>;
    /**
     * Upload an image
     *
     * The body is the picture itself. It is looked at by content, stripped of what the camera wrote into it, and sealed.
     *
     * `POST /v1/images`
     */
    upload(body: Upload, options?: Options & { idempotencyKey?: string; type?: "image/jpeg" | "image/png" | "image/webp" }): Promise<Arrived>;
  };
  /** What happened, in the forms of C2SP tlog-tiles. */
  ledger: {
    /**
     * The key that checks the signature of a take-home archive
     *
     * Another one than the ledger's: `vouchsafe verify ARCHIVE.zip --key KEY` takes it.
     *
     * `GET /ledger/archive-key`
     */
    archive_key(options?: Options): Promise<string>;
    /**
     * The newest signed head
     *
     * `GET /ledger/checkpoint`
     */
    checkpoint(options?: Options): Promise<string>;
    /**
     * The key that checks the ledger's signatures
     *
     * `GET /ledger/key`
     */
    key(options?: Options): Promise<string>;
    /**
     * A tile of hashes, or a bundle of entries
     *
     * `0/000` is the first tile of the lowest level, `entries/000` the first bundle, `entries/000.p/7` the first seven of it.
     *
     * `GET /ledger/tile/{path}`
     */
    tile(path: string, options?: Options): Promise<globalThis.Response>;
  };
  /** Agents, who ask for somebody else once that person says so. */
  mandates: {
    /**
     * Ask for something under a mandate
     *
     * Filed in the person's name. What it brings to light goes to the person alone.
     *
     * `POST /v1/mandates/{id}/requests`
     */
    ask_under(id: string, body: InTheirName, options?: Options): Promise<FiledUnder>;
    /**
     * End a mandate
     *
     * From this second nothing is filed under it.
     *
     * `POST /v1/account/mandates/{id}/end`
     */
    end(id: string, options?: Options): Promise<void>;
    /**
     * Who acts for one
     *
     * `GET /v1/account/mandates`
     */
    own(options?: Options): Promise<MandatesGiven>;
    /**
     * Ask to act for somebody
     *
     * The person is asked by letter, if they are known here; until they say yes nothing happens, and nothing about them follows
     * from the answer.
     *
     * `POST /v1/mandates`
     */
    propose(body: Proposing, options?: Options): Promise<AskedFor>;
    /**
     * How a mandate stands
     *
     * `GET /v1/mandates/{id}`
     */
    standing(id: string, options?: Options): Promise<Stands>;
  };
  /** For whoever keeps the service running. */
  operation: {
    /**
     * The process lives
     *
     * `GET /healthz`
     */
    live(options?: Options): Promise<string>;
    /**
     * The service can do its work
     *
     * `GET /readyz`
     */
    ready(options?: Options): Promise<Standing>;
  };
  /** The documents, and whether they are being kept now. */
  policies: {
    /**
     * The document in force
     *
     * `GET /v1/policies/{tenant}`
     */
    document(tenant: string, options?: Options): Promise<Document>;
    /**
     * Whether what is promised is being kept, clause by clause
     *
     * `GET /v1/promises/{tenant}`
     */
    promises(tenant: string, options?: Options): Promise<PromiseBoard>;
    /**
     * How every retention rule stands
     *
     * `GET /v1/retention/{tenant}`
     */
    retention(tenant: string, options?: Options): Promise<Board>;
  };
  /** Proof that verifies offline. */
  receipts: {
    /**
     * A receipt
     *
     * Text that verifies offline with `vouchsafe verify`. Whoever has its id may have it; it names nobody.
     *
     * `GET /v1/receipts/{id}`
     */
    receipt(id: string, options?: Options): Promise<string>;
  };
  /** Every right as a workflow with two clocks. */
  requests: {
    /**
     * The archive that answers a request
     *
     * A ZIP file, made while it is sent and kept nowhere. Its length is known beforehand, and a `Range` of it can be had,
     * so that a download that broke off can be taken up again. Needs the person's own session or token, and a proof of who they
     * are that is less than an hour old.
     *
     * `GET /v1/requests/{id}/archive`
     */
    archive(id: string, options?: Options & { range?: string }): Promise<globalThis.Response>;
    /**
     * Take a request back
     *
     * An erasure that has begun cannot be.
     *
     * `POST /v1/requests/{id}/cancel`
     */
    cancel(id: string, options?: Options): Promise<Request>;
    /**
     * File a request
     *
     * It has its number and both dates at once; what can be done at once is. An app's key alone does not show that the
     * person asks: such a request waits until they have shown it in the privacy centre. A copy of the data, an erasure
     * and a corrected address need a proof of who asks that is less than an hour old; a new address counts once the link
     * in the letter to it was opened.
     *
     * `POST /v1/requests`
     */
    file(body: Wish, options?: Options & { idempotencyKey?: string }): Promise<Request>;
    /**
     * Hand over a letter that came in
     *
     * The letter as it came, from the first line of its header to its end, at most 5 MiB. One that is to the address of the
     * policy and bears its subject line becomes a request as soon as its writer confirms it by the link they are sent; until
     * then nothing is released or changed. A letter may be handed over again: it is known by its Message-ID.
     *
     * `POST /v1/intake/mail`
     */
    hand_over(body: Upload, query?: { client?: string; helo?: string; sender?: string }, options?: Options & { type?: "message/rfc822" }): Promise<LetterTaken>;
    /**
     * Bring in an archive
     *
     * The body is a ZIP as `/v1/requests/{id}/archive` gives it, of this installation or another. All of it is checked before the
     * first thing is taken. What is here already is not taken twice: send the same archive again to go on where a call broke
     * off. Sent twice at once, it is taken once: the second answer says that all of it is here. Pictures become uploads and go when uploads go. Needs the person's own session or token.
     *
     * `POST /v1/imports`
     */
    import(body: Upload, options?: Options & { type?: "application/zip" }): Promise<Brought>;
    /**
     * One's requests, newest first
     *
     * `GET /v1/requests`
     */
    list(query?: { cursor?: string; limit?: number }, options?: Options): Promise<Listing<Request>>;
    /**
     * See what an archive would bring
     *
     * As `/v1/imports`, and nothing is taken.
     *
     * `POST /v1/imports/preview`
     */
    preview_import(body: Upload, options?: Options & { type?: "application/zip" }): Promise<Brought>;
    /**
     * A request, and what happened to it
     *
     * `GET /v1/requests/{id}`
     */
    read(id: string, options?: Options): Promise<Told>;
    /**
     * Do without the time in which an erasure can be taken back
     *
     * The erasure is done now. Needs the person's own session or token, and a proof of who they are that is less than an hour
     * old.
     *
     * `POST /v1/requests/{id}/waive`
     */
    waive(id: string, options?: Options): Promise<Request>;
  };
  /** What an app's server is told, signed (Standard Webhooks 1.0). */
  webhooks: {
    /**
     * Tell something again
     *
     * Now, under the id it had, and with the whole schedule before it.
     *
     * `POST /v1/deliveries/{id}/again`
     */
    again(id: string, options?: Options): Promise<Delivery>;
    /**
     * Change a webhook, or turn it on or off
     *
     * `PATCH /v1/webhooks/{id}`
     */
    change(id: string, body: WebhookChange, options?: Options): Promise<Webhook>;
    /**
     * One's webhooks
     *
     * `GET /v1/webhooks`
     */
    list(options?: Options): Promise<Webhooks>;
    /**
     * What a webhook was told, newest first
     *
     * Kept for 30 days, and not beyond the erasure of the person it is about.
     *
     * `GET /v1/webhooks/{id}/deliveries`
     */
    log(id: string, query?: { cursor?: string; limit?: number }, options?: Options): Promise<Listing<Delivery>>;
    /**
     * A webhook
     *
     * `GET /v1/webhooks/{id}`
     */
    read(id: string, options?: Options): Promise<Webhook>;
    /**
     * Register a webhook
     *
     * The secret is shown in this answer and never again. Messages are signed as Standard Webhooks 1.0 says, carry ids
     * alone, are tried for three days, and may come twice: `webhook-id` is the same each time.
     *
     * `POST /v1/webhooks`
     */
    register(body: NewWebhook, options?: Options): Promise<WebhookSecret>;
    /**
     * Remove a webhook
     *
     * With its secrets and its log. What waits for it is not told.
     *
     * `DELETE /v1/webhooks/{id}`
     */
    remove(id: string, options?: Options): Promise<void>;
    /**
     * Give a webhook a new secret
     *
     * Shown in this answer and never again. For a day messages are signed with the one before as well.
     *
     * `POST /v1/webhooks/{id}/secret`
     */
    rotate(id: string, options?: Options): Promise<WebhookSecret>;
    /**
     * Try a webhook
     *
     * It is told `webhook.test`, about nobody.
     *
     * `POST /v1/webhooks/{id}/test`
     */
    test(id: string, options?: Options): Promise<Delivery>;
  };
}
