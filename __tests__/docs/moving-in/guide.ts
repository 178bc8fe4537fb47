import { codeBlocks, readText } from '../support/page.js'

/** The two apps of a guide: its blocks that make one. Each is a module, with these names in place of its imports. */
export function appsOf<Make>(path: string, names: object): [before: Make, after: Make] {
  const blocks = codeBlocks(readText(path)).filter((code) => code.includes('export '))
  if (blocks.length !== 2) throw new Error(`${path} has ${blocks.length} apps`)
  return blocks.map((code) => {
    const body = code.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '')
    // Not a context of its own: Express warns of promises of another realm, and clocks could not be faked.
    // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
    return new Function(...Object.keys(names), `${body}; return createApp`)(...Object.values(names)) as Make
  }) as [Make, Make]
}

export const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' }

/** Before the switch: the time that the guides give is ahead. */
export const switchDay = new Date('2027-01-01T12:00:00Z')
