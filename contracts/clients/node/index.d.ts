/// <reference lib="esnext.disposable" />

import type { components, paths } from './openapi.js'

type Schemas = components['schemas']

export type Profile = Schemas['Profile']
export type Rejection = Schemas['Rejection']
export type WhyAnswer = Schemas['WhyAnswer']
export type FaultDefinition = Schemas['FaultDefinition']
export type FaultRule = Schemas['FaultRule']
export type Sandbox = Schemas['NamedSandbox']
export type { components, paths }

/** What an emulator is started with. */
export interface EmulatorOptions {
  /** A workspace file in YAML or JSON, or a workspace in JSON form; the default workspace when absent. */
  workspace?: string | object
  /** The time until profiles are visible: instant, realistic, or a duration such as 4h. */
  latency?: string
  /** The API version of StackAdapt, such as 2026-06. */
  apiVersion?: string
  /**
   * The command that starts the emulator: a program, or a program and its arguments. When absent, the one in
   * STACKADAPT_EMULATOR_COMMAND, else `stackadapt-emulator`, else that by `uvx`, else by `pipx run`.
   */
  command?: string | readonly string[]
  /** An emulator that is running; STACKADAPT_EMULATOR_URL when absent. With either, nothing is started. */
  url?: string
  /** The control token of the emulator at `url`; STACKADAPT_EMULATOR_CONTROL_TOKEN when absent. */
  controlToken?: string
  /** Allows a `url` of another host. */
  allowRemote?: boolean
}

/** What is expected of a visible profile. An audience is given by id or by name, which is its key. */
export interface ExpectedProfile {
  audiences?: readonly string[]
  notAudiences?: readonly string[]
  /** The values as StackAdapt stores them: `{ city: 'Paris' }`. */
  properties?: Readonly<Record<string, unknown>>
  marketingStatus?: Profile['marketingStatus']
}

/** Which rejected record is expected; any when nothing is given. */
export interface ExpectedRejection {
  email?: string
  userId?: string
  reason?: Rejection['reason']
}

export interface WaitOptions {
  /** How long to wait in real time, in milliseconds; 2000 when absent. */
  timeout?: number
}

/** Who is missing, and what. One of `email`, `userId` and `messageId` is required. */
export type Question = NonNullable<paths['/_emulator/why']['get']['parameters']['query']>

/** The emulator's clock. Each method returns its time. */
export interface Clock {
  now(): Promise<Date>
  /** Moves time forward, such as by `4h`, and processes everything that becomes due. */
  advance(by: string | Schemas['Advance']): Promise<Date>
  freeze(): Promise<Date>
  resume(): Promise<Date>
}

/** Failures of StackAdapt's endpoint. */
export interface Faults {
  add(fault: FaultDefinition): Promise<FaultRule>
  /** The active rules, oldest first. */
  list(): Promise<FaultRule[]>
  remove(ruleId: number): Promise<void>
  clear(): Promise<void>
}

export interface Emulator extends AsyncDisposable {
  /** The base URL, also of the control API and the console. */
  readonly url: string
  /** StackAdapt's GraphQL endpoint. */
  readonly graphqlUrl: string
  /** The host for a Segment SDK. */
  readonly segmentHost: string
  /** The name of the sandbox that everything here refers to. */
  readonly sandbox: string
  /** The first token that can read and write. */
  readonly token: string
  /** The write key of the workspace's first source; empty without a source. */
  readonly writeKey: string
  /** The workspace's first advertiser. */
  readonly advertiserId: string
  readonly clock: Clock
  readonly faults: Faults

  /**
   * Waits until a profile with this email is visible and as expected, and returns it.
   *
   * @throws Unmet with the way of the person through both services, where it stopped, and what would let it through
   */
  expectProfile(email: string, expected?: ExpectedProfile, options?: WaitOptions): Promise<Profile>
  /**
   * Checks that no profile with this email is visible now.
   *
   * @throws Unmet with the way of the person
   */
  expectNoProfile(email: string): Promise<void>
  /**
   * Waits until StackAdapt has rejected a record with these values, and returns the first one.
   *
   * @throws Unmet with records that it rejected, and the way of the person
   */
  expectRejection(expected?: ExpectedRejection, options?: WaitOptions): Promise<Rejection>
  /** Why a person, given by email or by more, did not arrive. */
  why(about: string | Question): Promise<WhyAnswer>
  /**
   * Any operation of the control API, in this sandbox.
   *
   * @throws EmulatorError when it is refused
   */
  readonly call: Call<'GET'> & Call<'POST'> & Call<'PUT'> & Call<'PATCH'> & Call<'DELETE'>
  /** Deletes data and history, and restores the workspace's faults and the machine's time. */
  reset(): Promise<void>
  /** Stops the server that was started, or deletes the sandbox; waits until that is done. */
  close(): Promise<void>
}

/**
 * Starts an emulator on a free port, which ends with this process at the latest; with a URL, creates a sandbox there.
 *
 * @throws EmulatorError when no command is found, the server does not start, or the workspace is refused
 */
export function createEmulator(options?: EmulatorOptions): Promise<Emulator>

export interface ErrorParts {
  status?: number | undefined
  error?: string | undefined
  where?: string | undefined
  found?: unknown
  allowed?: string | undefined
  hint?: string | undefined
}

/** What was refused, or could not be done. `message` has all parts as text. */
export class EmulatorError extends Error {
  constructor(message: string, parts?: ErrorParts)
  /** The status of the API's response; null when there was none. */
  readonly status: number | null
  /** The API's name of the error, such as `UnknownName`. */
  readonly error: string | null
  readonly where: string | null
  readonly found: unknown
  readonly allowed: string | null
  readonly hint: string | null
}

/** A failed expectation. */
export class Unmet extends Error {}

/** An operation with one method. Its content is optional where nothing in it is required. */
export type Call<M extends Method> = <P extends PathOf<M>>(
  method: M,
  path: P,
  ...content: {} extends Content<M, P> ? [content?: Content<M, P>] : [content: Content<M, P>]
) => Promise<Answer<M, P>>

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** The paths that have an operation with this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<Lowercase<M>, { responses: unknown }> ? P : never
}[keyof paths]

type Operation<M extends Method, P extends PathOf<M>> = paths[P][Lowercase<M> & keyof paths[P]]

/** What an operation takes: the names in its path, its query parameters and its JSON body. */
export type Content<M extends Method, P extends PathOf<M>> =
  PathNames<Operation<M, P>> & Query<Operation<M, P>> & Body<Operation<M, P>>

type PathNames<O> = O extends { parameters: { path: infer Names } } ? { path: Names } : { path?: never }
type Query<O> =
  O extends { parameters: { query: infer Q } } ? { query: Q }
  : O extends { parameters: { query?: infer Q } } ? { query?: Q }
  : { query?: never }
type Json<T> = T extends { content: { 'application/json': infer J } } ? J : undefined
type Body<O> =
  O extends { requestBody: infer B } ? { body: Json<B> }
  : O extends { requestBody?: infer B } ? { body?: Json<NonNullable<B>> }
  : { body?: never }

/** The JSON of a successful response; undefined when it is empty. */
export type Answer<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202)]> : never
