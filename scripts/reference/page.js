const intro = `# Reference

Every name that the package exports: its signature, what it does, its options and their defaults. The [events](#sessionevents) and the
[errors](#sessionerrorcode) are among them. What the route helpers send to a browser is on a [page of its own](responses.md).

This page is made from the doc comments in the source, which your editor shows as well. Don't edit it: change the
comment, and run \`npm run reference\`.`

/** The page, in Markdown: a list of all names, then a section for each. */
export function pageOf(entries) {
  const link = linker(entries.flatMap(({ name, exported }) => [name, ...exported.map((one) => one.name)]))
  const contents = entries.map(
    ({ name, exported }) => `- ${link(name)}: ${exported.map((one) => link(one.name)).join(', ')}`,
  )
  const sections = entries.flatMap(({ name, exported }) => [
    `## ${name}`,
    ...exported.map((one) => sectionOf(one, link)),
  ])
  return [intro, contents.join('\n'), ...sections].join('\n\n')
}

function sectionOf(one, link) {
  const { name, signatures, members } = one
  const parts = [
    `### ${name}`,
    code(signatures.map(dedent).join('\n')),
    proseOf(one),
    members.map(itemOf).join('\n'),
  ]
  const words = [...signatures, ...members.flatMap((member) => member.signatures)].join(' ').match(/\w+/g)
  const related = [...new Set(words)].filter((word) => word !== name).map(link)
  if (related.some(Boolean)) parts.push(`See also: ${related.filter(Boolean).join(', ')}.`)
  return parts.join('\n\n')
}

/** A member as an item of a list: its signature, then its text. */
function itemOf(member) {
  const signature = member.signatures.map(dedent).join('\n')
  const head = signature.includes('\n') ? `\n${code(signature)}` : `\`${signature}\``
  return `- ${`${head}\n\n${proseOf(member)}`.replaceAll('\n', '\n  ')}`
}

const titles = { param: 'Parameter', returns: 'Returns', throws: 'Throws', default: 'Default', see: 'See' }

/** The text of a doc comment, and its tags. */
function proseOf({ text, tags }) {
  const said = tags.map(({ name, text: value = '' }) => {
    if (name === 'example') return value.includes('```') ? value : code(value)
    if (name === 'param') return `${titles.param} ${value.replace(/^(\w+)(?: -)? /, '`$1`: ')}`
    return `${titles[name] ?? name}: ${value}`
  })
  return [text, ...said].join('\n\n')
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``
}

/** A member stands indented in its declaration: all lines but the first move to the left. */
function dedent(text) {
  const depths = [...text.matchAll(/\n( *)\S/g)].map(([, spaces]) => spaces.length)
  return depths.length === 0 ? text : text.replaceAll(`\n${' '.repeat(Math.min(...depths))}`, '\n')
}

/** Makes links to these headings; `undefined` for any other word. GitHub numbers anchors that would be alike. */
function linker(headings) {
  const anchors = new Map()
  const uses = new Map()
  for (const heading of headings) {
    const anchor = heading.toLowerCase().replace(/[^\w -]/g, '')
    const before = uses.get(anchor) ?? 0
    uses.set(anchor, before + 1)
    anchors.set(heading, before === 0 ? anchor : `${anchor}-${before}`)
  }
  return (heading) => (anchors.has(heading) ? `[\`${heading}\`](#${anchors.get(heading)})` : undefined)
}
