// Tabs whose panels are all in the page switch without a request; otherwise they stay links.

export function improveTabs() {
  improveAll();
  document.addEventListener('tidu:new-tabs', improveAll);
}

function improveAll() {
  for (const list of document.querySelectorAll('[data-tabs]:not([role=tablist])')) {
    const tabs = [...list.querySelectorAll('[data-tab]')];
    const panels = new Map(tabs.map((tab) => [tab, document.querySelector(`[data-panel="${CSS.escape(tab.dataset.tab)}"]`)]));
    if ([...panels.values()].every(Boolean)) improve(list, tabs, panels);
  }
}

function improve(list, tabs, panels) {
  list.setAttribute('role', 'tablist');
  for (const tab of tabs) {
    const panel = panels.get(tab);
    panel.id ||= `panel-${tab.dataset.tab}`;
    tab.id ||= `tab-${tab.dataset.tab}`;
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-controls', panel.id);
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', tab.id);
    tab.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(tab, tabs, panels);
      history.replaceState(null, '', tab.href);
    });
    tab.addEventListener('keydown', (event) => walk(event, tab, tabs, panels));
  }
  choose(tabs.find((tab) => tab.getAttribute('aria-current')) ?? tabs[0], tabs, panels);
}

function choose(chosen, tabs, panels) {
  for (const tab of tabs) {
    const isChosen = tab === chosen;
    tab.classList.toggle('active', isChosen);
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    tab.removeAttribute('aria-current');
    panels.get(tab).hidden = !isChosen;
  }
  panels.get(chosen).dispatchEvent(new CustomEvent('tidu:shown', { bubbles: true }));
}

function walk(event, tab, tabs, panels) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  choose(next, tabs, panels);
  next.focus();
}
