/**
 * How a page names another path of its host by a relative one.
 *
 * @param from the URL of the page, from its path on.
 * @example relativePath('/account/login?x', '/_session/binding') // '../_session/binding'
 */
export function relativePath(from: string, to: string): string {
  const folders = from
    .replace(/[?#].*$/s, '')
    .split('/')
    .slice(0, -1)
  const target = to.split('/')
  let shared = 0
  while (shared < folders.length && shared < target.length - 1 && folders[shared] === target[shared])
    shared += 1
  const rest = target.slice(shared).join('/')
  // A colon in the first segment would make it a scheme (RFC 3986 §4.2).
  return '../'.repeat(folders.length - shared) + (rest.split('/', 1)[0]!.includes(':') ? `./${rest}` : rest)
}
