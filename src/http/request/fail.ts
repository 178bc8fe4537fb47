import type { ServerResponse } from 'node:http'

export type Next = (error?: unknown) => void

/** Hands an error to Express, whose error handling reads its status. No cache may keep the answer. */
export function fail(res: ServerResponse, next: Next, error: unknown): void {
  if (!res.headersSent) res.setHeader('Cache-Control', 'no-store')
  // Express takes a call without an error for 'go on'.
  next(
    error || new Error(`Something failed with ${String(error)} in place of an error. Reject with an Error.`),
  )
}
