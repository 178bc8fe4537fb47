import type { IncomingMessage } from 'node:http'
import { invalid, show } from '../../lib/options/invalid.js'
import { isHandshake } from '../request/fetch-metadata.js'

/**
 * The option `crossSitePaths`, checked: `['/auth/callback']`. Each is a path as the browser asks for it, and no pattern.
 *
 * @throws SessionError OPTION_INVALID, naming the entry.
 */
export function parseCrossSitePaths(value: unknown): ReadonlySet<string> {
  if (!Array.isArray(value)) {
    throw invalid(`crossSitePaths must be an array of paths, such as ['/auth/callback'], not ${show(value)}.`)
  }
  const wrong: unknown = value.find((path) => typeof path !== 'string' || !pathShape.test(path))
  if (wrong === undefined) return new Set(value as string[])
  throw invalid(
    `crossSitePaths has ${show(wrong)}, which is no exact path. Write it as the browser asks for it, from the root of the ` +
      `site, without a query and without a pattern, such as '/auth/callback'.`,
  )
}

const pathShape = /^\/[^?#*\s]*$/

/** Whether a page of another site may send a form to this path. Exact: neither its case nor a slash at its end is ignored. */
export function isCrossSitePath(
  req: IncomingMessage & { originalUrl?: string; upgrade?: boolean | null },
  paths: ReadonlySet<string>,
): boolean {
  const url = req.originalUrl ?? req.url ?? ''
  const query = url.indexOf('?')
  return paths.has(query === -1 ? url : url.slice(0, query)) && !isHandshake(req)
}
