/** A request that a driver sends, and the end of the body that must come back with status 200. */
export interface Request {
  /** A function where each request must differ. */
  readonly text: string | (() => string)
  readonly expected: string
}

/** How long to send: for so many milliseconds, or so many requests. */
export type Amount = { readonly ms: number } | { readonly count: number }

/** What a driver saw. */
export interface Outcome {
  readonly count: number
  readonly seconds: number
  /** Milliseconds from sending a request to having its whole response. */
  readonly p50: number
  readonly p99: number
  /** Responses that were not as expected, as far as the driver can tell. */
  readonly wrong: readonly string[]
}

/** A number of keep-alive connections to one server. Each sends its next request when it has its response. */
export interface Load {
  run(amount: Amount): Promise<Outcome>
  close(): void
}

/** A load generator. Two of them, since each has effects of its own on what is measured. */
export interface Driver {
  readonly name: string
  open(port: number, requests: readonly Request[], connections: number): Promise<Load>
}
