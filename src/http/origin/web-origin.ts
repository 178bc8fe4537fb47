/** Where a page is from, as browsers write it: lower case, without the scheme's default port. */
export interface WebOrigin {
  readonly scheme: string
  readonly host: string
}

// Not `new URL`: it also takes what is no origin, such as a path, a user, `https:example.com` and line breaks.
const originShape = /^(https?):\/\/((?:\[[0-9a-f:.]+\]|[^\s/?#@\\,*:[\]]+)(?::\d+)?)$/i

/** The origin in an `Origin` header; `undefined` for `null`, for several origins in one header, and for whatever else is not one web origin. */
export function parseOrigin(text: string | undefined): WebOrigin | undefined {
  const match = originShape.exec(text ?? '')
  if (match === null) return undefined
  const scheme = match[1]!.toLowerCase()
  return { scheme, host: dropDefaultPort(scheme, match[2]!) }
}

/** Browsers leave out the default port of a scheme; proxies and other clients sometimes write it. */
export function dropDefaultPort(scheme: string, host: string): string {
  return host.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')
}
