import type { Request } from 'express'

// Every address on the page is relative, so that it holds behind a proxy that takes a prefix off the path.

/**
 * The way from the page of devices to what lies below it. Without a slash at its end, the last part of the page's own
 * address counts as a file beside which the others lie.
 *
 * @example belowPage({ originalUrl: '/account/devices' }) // 'devices/'
 */
export function belowPage({ originalUrl }: Pick<Request, 'originalUrl'>): string {
  const last = originalUrl
    .replace(/[?#].*$/s, '')
    .split('/')
    .at(-1)!
  return last === '' ? './' : `./${last}/`
}

/**
 * The way back to the page from a path below it.
 *
 * @param path the path below the page: `/end-others` or `/ID/end`.
 */
export function backToPage(path: string): string {
  const depth = path.split('/').filter(Boolean).length - 1
  return depth === 0 ? './' : '../'.repeat(depth)
}
