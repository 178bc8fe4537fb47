import { items, sidebar } from '../sidebar.js'

/** The anchors of headings as GitHub makes them, so that one link works in both places. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** @type {import('vitepress').UserConfig} */
export default {
  title: 'express-sid',
  description: 'Sessions for Express that know who is asking.',
  lang: 'en',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: false,
  lastUpdated: false,
  metaChunk: true,
  // No picture in the tab: nothing to load.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  // The folder of the host that it is served from.
  base: process.env.SITE_BASE ?? '/',
  themeConfig: {
    // Its name begins with the word that is seen: who speaks to a browser says it.
    search: {
      provider: 'local',
      options: { translations: { button: { buttonText: 'Search', buttonAriaLabel: 'Search' } } },
    },
    outline: [2, 3],
    nav: items(
      ['Start', 'start'],
      ['Guides', 'guides'],
      ['Concepts', 'concepts'],
      ['Reference', 'reference'],
      ['Security', 'security'],
      ['Troubleshooting', 'troubleshooting'],
    ),
    sidebar,
  },
}
