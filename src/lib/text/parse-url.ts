/**
 * A URL, or `undefined` for what is none. It does not use `URL.canParse`: once V8 has optimised that, Node 20 reads
 * `bücher` as broken UTF-8.
 *
 * @example parseUrl('/account', 'https://app.example')?.origin
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
