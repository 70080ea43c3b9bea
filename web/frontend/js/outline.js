// The text outline of a drawing: a tree one can walk by keyboard (WAI-ARIA tree pattern).

/** Makes every `role=tree` outline on the page walkable; safe to call more than once. */
export function improveOutlines(within = document) {
  for (const tree of within.querySelectorAll('.tidu-outline[role=tree]')) {
    if (!tree.dataset.improved) improve(tree);
  }
}

function improve(tree) {
  tree.dataset.improved = 'yes';
  const first = items(tree)[0];
  for (const item of items(tree)) item.tabIndex = item === first ? 0 : -1;
  tree.addEventListener('keydown', (event) => walk(event, tree));
  tree.addEventListener('click', (event) => {
    const item = event.target.closest('[role=treeitem]');
    if (!item || event.target.closest('a')) return;
    if (event.target.closest('.tidu-outline-twist')) fold(item, item.getAttribute('aria-expanded') !== 'true');
    else choose(tree, item);
  });
  tree.addEventListener('tidu:choose', (event) => select(tree, event.target.closest('[role=treeitem]'), { scroll: true }));
}

const items = (tree) => [...tree.querySelectorAll('[role=treeitem]')];
const visible = (tree) => items(tree).filter((item) => !item.parentElement.closest('[role=treeitem][aria-expanded=false]'));
const fold = (item, open) => { if (item.hasAttribute('aria-expanded')) item.setAttribute('aria-expanded', String(open)); };

function select(tree, item, { focus = false, scroll = false } = {}) {
  if (!item) return;
  for (const other of items(tree)) {
    other.tabIndex = other === item ? 0 : -1;
    other.setAttribute('aria-selected', String(other === item));
  }
  for (let up = item.parentElement.closest('[role=treeitem]'); up; up = up.parentElement.closest('[role=treeitem]')) fold(up, true);
  if (focus) item.focus();
  if (scroll) item.scrollIntoView({ block: 'nearest' });
}

function choose(tree, item) {
  select(tree, item, { focus: true });
  tree.dispatchEvent(new CustomEvent('tidu:chosen', { bubbles: true, detail: { id: item.dataset.element } }));
}

function walk(event, tree) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const all = visible(tree);
  const item = event.target.closest('[role=treeitem]');
  const at = all.indexOf(item);
  const go = (to) => select(tree, to, { focus: true });
  switch (event.key) {
    case 'ArrowDown': go(all[Math.min(all.length - 1, at + 1)]); break;
    case 'ArrowUp': go(all[Math.max(0, at - 1)]); break;
    case 'Home': go(all[0]); break;
    case 'End': go(all.at(-1)); break;
    case 'ArrowRight':
      if (item.getAttribute('aria-expanded') === 'false') fold(item, true);
      else go(item.querySelector('[role=treeitem]') ?? item);
      break;
    case 'ArrowLeft':
      if (item.getAttribute('aria-expanded') === 'true') fold(item, false);
      else go(item.parentElement.closest('[role=treeitem]') ?? item);
      break;
    case 'Enter': case ' ': choose(tree, item); break;
    default:
      if (event.key.length !== 1) return;
      go(startingWith(all, at, event.key) ?? item);
  }
  event.preventDefault();
  event.stopPropagation();
}

const startingWith = (all, at, letter) => [...all.slice(at + 1), ...all.slice(0, at)]
  .find((item) => item.textContent.trim().toLowerCase().startsWith(letter.toLowerCase()));
