/** A URL, or `undefined`. Not by `URL.canParse`: once V8 has optimised it, Node 20 takes `bücher` for broken UTF-8. */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
