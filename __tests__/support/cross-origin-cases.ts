/**
 * The cases of Go's http.CrossOriginProtection: [Sec-Fetch-Site, Origin, whether it is refused], for an unsafe
 * method at the host example.com, where https://trusted.example is trusted.
 */
export const crossOriginCases: readonly (readonly [string | undefined, string | undefined, boolean])[] = [
  ['same-origin', undefined, false],
  ['none', undefined, false],
  ['cross-site', undefined, true],
  ['same-site', undefined, true],
  [undefined, undefined, false],
  [undefined, 'https://example.com', false],
  [undefined, 'https://attacker.example', true],
  [undefined, 'null', true],
  [undefined, 'https://trusted.example', false],
  ['cross-site', 'https://trusted.example', false],
  ['cross-site', 'https://attacker.example', true],
]
