/** Where a page is from, as browsers write it: lower case, without the scheme's default port. */
export interface WebOrigin {
  /** `http` or `https`; of the page of an app or an extension its own, such as `capacitor`. */
  readonly scheme: string
  readonly host: string
}

// Not `new URL`: it also takes what is no origin, such as a path, a user, `https:example.com` and line breaks.
const originShape = /^([a-z][a-z0-9+.-]*):\/\/((?:\[[0-9a-f:.]+\]|[^\s/?#@\\,*:[\]]+)(?::\d+)?)$/i

/** The origin in an `Origin` header; `undefined` for `null`, for several origins in one header, and for whatever else is not one origin. */
export function parseOrigin(text: string | undefined): WebOrigin | undefined {
  const match = originShape.exec(text ?? '')
  if (match === null) return undefined
  const scheme = match[1]!.toLowerCase()
  return { scheme, host: dropDefaultPort(scheme, match[2]!) }
}

/** Whether it is a page that came over HTTP: no app and no extension, which may call their host as ours is called. */
export function isWeb({ scheme }: WebOrigin): boolean {
  return scheme === 'https' || scheme === 'http'
}

/** Browsers leave out the default port of a scheme; proxies and other clients sometimes write it. */
export function dropDefaultPort(scheme: string, host: string): string {
  return host.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')
}
