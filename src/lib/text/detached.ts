/**
 * A copy of a text that shares no memory with it. V8 makes a part of a long text as a mere pointer into the whole: a
 * 36-letter id keeps the `Cookie` header that it was cut from in memory, with the token and every other cookie. So
 * whatever is kept from a request, longer than the request lasts, goes through here.
 *
 * @example byId.set(detached(id), value)
 */
export function detached(text: string): string {
  const encoding = isLatin1.test(text) ? 'latin1' : 'utf16le'
  return Buffer.from(text, encoding).toString(encoding)
}

// oxlint-disable-next-line no-control-regex -- every character of one byte
const isLatin1 = /^[\u0000-\u00ff]*$/
