import type { Request, Response } from 'express'
import { preferenceOf } from '../refusal/refusal-page.js'

/** One thing to say, in each of the ways that a client may prefer. */
export interface Content {
  readonly status: number
  readonly text: string
  readonly json: object
  /** Where a browser goes on. */
  readonly redirect?: string | undefined
}

/** Responds by what the client prefers: JSON for JSON clients, else a redirect where there is one, else text. */
export function respond(req: Request, res: Response, { status, text, json, redirect }: Content): void {
  res.vary('Accept')
  res.setHeader('Cache-Control', 'no-store')
  if (prefersJson(req)) {
    respondJson(res, { status, json: redirect === undefined ? json : { ...json, redirectTo: redirect } })
  } else if (redirect !== undefined) {
    // 303: the next request is a GET, whatever this one was (RFC 9110 §15.4.4).
    res.redirect(303, redirect)
  } else {
    res.status(status).type('text').send(text)
  }
}

/** Responds to a client that wants nothing but JSON. */
export function respondJson(res: Response, { status, json }: Pick<Content, 'status' | 'json'>): void {
  res.setHeader('Cache-Control', 'no-store')
  res.status(status).json(json)
}

export function prefersJson(req: Request): boolean {
  return preferenceOf(req) === 'json'
}
