extension HTMLPage {
    /// The page's own style; the pictures bring theirs.
    ///
    /// Figures stand side by side where there is room for two and below each other on a phone; a table wider than the
    /// page scrolls in its own box; paper gets the light colors with the shading kept.
    static let styleSheet = """
        :root{--bg:#f6f7f9;--card:#ffffff;--ink:#1b2430;--muted:#586474;--line:#dfe4ea;--ours:#0072b2;--mark:#d55e00;
        --solved:#e3f3ec;--partial:#fdf3dc;--flat:#f1f2f5;--word-solved:#006b4f;--word-partial:#7d5600}
        @media screen and (prefers-color-scheme:dark){
        :root{--bg:#0e1217;--card:#151a21;--ink:#e7eaef;--muted:#9ba7b7;--line:#2b333f;--ours:#56b4e9;--mark:#f28e43;
        --solved:#10332a;--partial:#372c12;--flat:#1e242d;--word-solved:#5fd3ae;--word-partial:#e6b34a}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);line-height:1.55;
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-size:16px}
        main{max-width:1080px;margin:0 auto;padding:24px 20px 56px}
        h1{font-size:1.75rem;line-height:1.25;margin:.4em 0 .6em;overflow-wrap:anywhere}
        h2{font-size:1.2rem;margin:2em 0 .7em}
        p{max-width:46em;margin:.6em 0;overflow-wrap:anywhere}
        small{font-size:.8rem;color:var(--muted)}
        .scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}
        th,td{text-align:left;padding:.5em .8em;border-bottom:1px solid var(--line);white-space:nowrap}
        tbody tr:last-child>*{border-bottom:0}
        thead th{color:var(--muted);font-weight:600}
        .r{text-align:right}
        .overview td{min-width:150px;vertical-align:top;border-left:1px solid var(--line)}
        .overview th:first-child{position:sticky;left:0;z-index:1;background:var(--card)}
        .overview thead th+th{border-left:1px solid var(--line)}
        .overview td b{font-size:1.25rem}
        .overview td>.bullet{display:block;margin:.35em 0}
        .overview td>.bullet~small{display:block}
        .overview em{display:block;font-style:normal;font-size:.8rem;font-weight:600;color:var(--muted)}
        .solved{background:var(--solved)}
        .partial{background:var(--partial)}
        .flat{background:var(--flat)}
        .overview .solved em{color:var(--word-solved)}
        .overview .partial em{color:var(--word-partial)}
        .bullet{position:relative;display:inline-block;height:12px;background:var(--line);border-radius:2px}
        .bullet i{position:absolute;top:0;height:100%}
        .bullet .ours{left:0;background:var(--ours);border-radius:2px}
        .bullet .paper{top:-3px;height:18px;width:3px;margin-left:-1px;background:var(--mark);
        box-shadow:0 0 0 1px var(--card)}
        .bullet .plateau{top:-3px;height:18px;width:0;border-left:2px dashed var(--ink);opacity:.7}
        .key{font-size:.85rem;color:var(--muted);line-height:2}
        .key>span{white-space:nowrap;margin-right:.8em}
        .key .bullet{width:34px;vertical-align:-1px;margin:0 .4em 0 0}
        .reading{border-left:3px solid var(--ours);padding-left:.8em}
        .footnotes{font-size:.85rem;color:var(--muted)}
        details{margin:1em 0}
        summary{cursor:pointer;font-weight:600;margin-bottom:.6em}
        .plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px}
        figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden;min-width:0;
        break-inside:avoid}
        .film{overflow-x:auto;padding:12px}
        .film img{display:block;image-rendering:pixelated}
        .film+figcaption{padding-top:0}
        figure:has(.film){margin:12px 0}
        figcaption{padding:.2em 1em 1em;font-size:.9rem;color:var(--muted);overflow-wrap:anywhere}
        pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.9em 1em;overflow-x:auto;
        font-size:.88rem;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
        .settings{width:auto;min-width:50%}
        .settings+*{margin-top:1em}
        .settings th{color:var(--muted);font-weight:600}
        .settings td{white-space:normal;overflow-wrap:anywhere}
        @media (max-width:520px){main{padding:12px 12px 40px}h1{font-size:1.4rem}
        .overview th:first-child{white-space:normal}.overview td{min-width:124px}
        th,td{padding:.45em .6em}}
        @media print{:root{--bg:#ffffff}body{font-size:11pt}main{max-width:none;padding:0}.scroll,pre{overflow:visible}
        pre{white-space:pre-wrap}h2{break-after:avoid}tr{break-inside:avoid}
        *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
        table{font-size:8.5pt}th,td{white-space:normal;overflow-wrap:anywhere;padding:.3em .5em}.overview td{min-width:0}
        .plots{grid-template-columns:1fr 1fr}.film img{max-width:100%;height:auto}}

        """
}
