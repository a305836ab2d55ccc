"""The HTML document around a page: its language and landmarks, and names for all that is used.

Some parts of Bokeh, Panel and Tabulator have no name or role for a screen reader, or do not answer
to keys: sliders, tabs, buttons of figures, check boxes of tables. A script gives them these as they
appear, from the words that stand next to them.
"""

from typing import Any

from apexr.dashboard._elements import CSS, panel


def named(words: str) -> dict[str, list[str]]:
    """Return the option that names a widget which shows no label."""
    return {"css_classes": [f"named-{words.replace(' ', '-')}"]}


_SCRIPT = """
(() => {
  const set = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }
  const words = (root, selector) =>
    (root.querySelector(selector)?.textContent ?? "").trim().replace(/\\s+/g, " ")
  const name_of = (root) => {
    for (const one of root.host?.classList ?? [])
      if (one.startsWith("named-")) return one.slice(6).replaceAll("-", " ")
    return words(root, ".bk-input-group > label") || words(root, "label")
  }
  const press = (element) => {
    if (element.dataset.keys) return
    element.dataset.keys = "1"
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || !["Enter", " "].includes(event.key)) return
      event.preventDefault()
      element.click()
    })
  }
  const along = (tabs) => {
    if (tabs.dataset.arrows) return
    tabs.dataset.arrows = "1"
    tabs.addEventListener("keydown", (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
      const all = [...tabs.querySelectorAll(".bk-tab")]
      const place = all.indexOf(event.target)
      if (!step || place < 0) return
      const next = all[(place + step + all.length) % all.length]
      next.click()
      next.focus()
    })
  }
  const row_name = (row) => {
    const cells = [...row.querySelectorAll(".tabulator-cell[tabulator-field]")]
      .filter((cell) => cell.getAttribute("tabulator-field") !== "index")
    return cells.slice(0, 4).map((cell) => cell.textContent.trim()).filter(Boolean).join(", ")
  }
  const rules = {
    ".noUi-handle": (handle, root) => {
      // the words of a slider over labels stand in front of it, in a part of their own
      const before = root.host?.previousElementSibling?.shadowRoot
      const title = words(root, ".bk-slider-title") || (before ? words(before, "div") : "")
      set(handle, "aria-label", title.split(":")[0] || name_of(root) || "slider")
      set(handle, "aria-valuetext", title.split(":").slice(1).join(":").trim() || title || "0")
    },
    ".bk-btn-group": (group, root) => {
      const buttons = [...group.querySelectorAll("button")]
      if (buttons.length < 2) {
        const one = buttons[0]
        if (one && /Toggle/.test(root.host?.className ?? ""))
          set(one, "aria-expanded", String(one.classList.contains("bk-active")))
        return
      }
      set(group, "role", "group")
      set(group, "aria-label", name_of(root) || "choice")
      for (const one of buttons)
        set(one, "aria-pressed", String(one.classList.contains("bk-active")))
    },
    ".bk-tab": (tab) => {
      const active = tab.classList.contains("bk-active")
      set(tab, "role", "tab")
      set(tab, "aria-selected", String(active))
      set(tab, "tabindex", active ? "0" : "-1")
      set(tab.parentElement, "role", "tablist")
      press(tab)
      along(tab.parentElement)
    },
    ".tabulator-row input[type=checkbox]": (box) =>
      set(box, "aria-label", `choose ${row_name(box.closest(".tabulator-row"))}`),
    ".tabulator-header input[type=checkbox]": (box) => set(box, "aria-label", "choose all"),
    ".tabulator-col.tabulator-col-sorter-element": (column) => {
      if (!words(column, ".tabulator-col-title")) return
      set(column, "tabindex", "0")
      press(column)
    },
    ".tabulator-cell[tabindex='0']": (cell) => set(cell, "tabindex", "-1"), // nothing is edited
    ".tabulator-tableholder": (holder) => {
      set(holder, "role", "rowgroup")
      for (const rows of holder.querySelectorAll(".tabulator-table")) set(rows, "role", "none")
    },
    ".tabulator-footer": (footer) => {
      set(footer, "role", "rowgroup")
      for (const one of footer.querySelectorAll(".tabulator-footer-contents"))
        set(one, "role", "row")
      for (const one of footer.querySelectorAll(".tabulator-paginator"))
        set(one, "role", "gridcell")
    },
    "input[type=checkbox]": (box, root) => {
      const text = words(root, ".bk-label")
      if (text && box.parentNode === root) set(box, "aria-label", text)
    },
    ".tabulator-header-filter input": (input) => {
      const column = input.closest(".tabulator-col")
      set(input, "aria-label", `filter ${words(column, ".tabulator-col-title")}`)
    },
    ".choices": (box, root) => {
      const name = name_of(root)
      for (const one of box.querySelectorAll("input, select, [role=listbox]"))
        set(one, "aria-label", name)
      for (const one of box.querySelectorAll("input[type=search]")) one.removeAttribute("role")
    },
    ".bk-events": (layer) => set(layer, "tabindex", "-1"),
  }
  const tools = (root) => {
    const host = root.host
    if (!host || !/bk-(OnOff|Click|Tool)\\w*Button/.test(host.className)) return
    set(host, "role", "button")
    set(host, "aria-label", host.title || "tool")
    if (/OnOff/.test(host.className))
      set(host, "aria-pressed", String(host.classList.contains("bk-active")))
    press(host)
  }
  const mend = (root) => {
    tools(root)
    const next = root.host?.nextElementSibling?.shadowRoot
    for (const handle of next?.querySelectorAll(".noUi-handle") ?? [])
      rules[".noUi-handle"](handle, next)
    for (const [selector, rule] of Object.entries(rules))
      for (const element of root.querySelectorAll(selector)) rule(element, root)
  }
  const watch = (root) => {
    let waiting = false
    const soon = () => {
      if (waiting) return
      waiting = true
      setTimeout(() => { waiting = false; mend(root) }, 50)
    }
    new MutationObserver(soon).observe(root, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["class", "title"],
      characterData: true,
    })
    soon()
  }
  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options)
    watch(root)
    return root
  }
  document.addEventListener("DOMContentLoaded", () => watch(document))
  window.addEventListener("popstate", () => window.location.reload())
})()
"""

TEMPLATE = f"""
{{% block postamble %}}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{CSS}</style>
<script>{{% raw %}}{_SCRIPT}{{% endraw %}}</script>
{{% endblock %}}
{{% block contents %}}<main>{{{{ super() }}}}</main>{{% endblock %}}
"""


def document(page: Any) -> Any:
    """Return a page in its document, to be served."""
    made = panel().Template(template="{% extends base %}" + TEMPLATE, location=True)
    made.add_panel("page", page)
    return made
