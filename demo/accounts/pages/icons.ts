import { Html, markup } from './markup.js'

const shapes = {
  larch: '<path d="M12 2 6.5 9h3L5 14.5h4L4 20h16l-5-5.5h4L14.5 9h3z"/><path d="M12 20v2.5"/>',
  book: '<path d="M5 4.5h11.5a2 2 0 0 1 2 2v13H7a2 2 0 0 1-2-2z"/><path d="M9 9h5.5M9 12.5h5.5"/>',
  devices:
    '<rect x="3" y="5" width="13" height="10" rx="1.5"/><path d="M2 18.5h9"/><rect x="14.5" y="9.5" width="7" height="10.5" rx="1.5"/>',
  pulse: '<path d="M3 12.5h4l2.5-6 4.5 12 2.5-6H21"/>',
  person: '<circle cx="12" cy="8.5" r="3.5"/><path d="M5 20c.8-4 3.5-5.5 7-5.5s6.200 1.5 7 5.5"/>',
  people:
    '<circle cx="9" cy="9" r="3"/><path d="M3 19c.6-3.5 2.800-5 6-5s5.400 1.5 6 5"/><path d="M15.5 6.200a3 3 0 0 1 0 5.600M17.5 14.5c2 .7 3.100 2.200 3.5 4.5"/>',
  key: '<circle cx="8" cy="15" r="4"/><path d="m11 12 8.5-8.5M16 7l3 3"/>',
  shield:
    '<path d="M12 3 5 5.5v6c0 4.5 3 7.800 7 9.5 4-1.700 7-5 7-9.5v-6z"/><path d="m9 12 2.200 2.200L15.5 10"/>',
  warning: '<path d="M12 4 2.800 20h18.400z"/><path d="M12 10.5v4M12 17.200v.1"/>',
} as const

export type Icon = keyof typeof shapes

/** A drawing that says nothing that the words beside it do not say. */
export function icon(name: Icon): Html {
  return markup`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${new Html(shapes[name])}</svg>`
}
