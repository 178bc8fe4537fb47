/** Two users. */
export const ann = { id: 'ann', name: 'Ann' }
export const bob = { id: 'bob', name: 'Bob' }

const blink = (version: number) =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`

/** Browsers of three engines. Each is a client: what it says of itself, and where it comes from. */
export const chrome = { userAgent: blink(140), ip: '203.0.113.7' }
export const firefox = {
  ...chrome,
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
}
export const safari = {
  ...chrome,
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
}
/** The first browser after an update. */
export const newerChrome = { ...chrome, userAgent: blink(141) }
/** The first browser in another network. */
export const chromeElsewhere = { ...chrome, ip: '198.51.100.20' }

/** A token of the right shape that no server has issued. */
export const unissuedId = '019a0000-0000-7000-8000-000000000000'
export const unissuedToken = `${unissuedId}.${'A'.repeat(65)}`
