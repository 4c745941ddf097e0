/** The completion script for PowerShell. */
import type { Place } from "./completion_model.ts";

/** Writes the script: the places as JSON, and the way through them to the cursor. */
export function powershellScript(places: readonly Place[]): string {
  return `Register-ArgumentCompleter -Native -CommandName callmend -ScriptBlock {
    param($word, $line, $cursor)
    $places = @'
${JSON.stringify(places)}
'@ | ConvertFrom-Json
    $here = $places | Where-Object { $_.path -eq '' }
    $at = 0
    $flag = $null
    $before = @($line.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    foreach ($each in $before) {
        if ($null -ne $flag) { $flag = $null; continue }
        if ($each -eq '--' -and $here.behind) {
            $here = $places | Where-Object { $_.path -eq $here.behind }
            $at = 0
        } elseif ($each -like '-*') {
            $flag = $here.flags | Where-Object { $_.names -ccontains $each -and $null -ne $_.value }
        } else {
            $next = $places | Where-Object { $_.path -ceq "$($here.path) $each".Trim() }
            if ($null -ne $next) { $here = $next; $at = 0 } else { $at++ }
        }
    }
    $flags = @($here.flags | ForEach-Object {
        $means = $_.means
        $_.names | ForEach-Object { [pscustomobject]@{ name = $_; means = $means } }
    })
    $found = if ($null -ne $flag) { @($flag.value.words) }
        elseif ($word -like '-*') { $flags }
        elseif ($here.commands.Count -gt 0) { if ($at -eq 0) { $here.commands } }
        elseif ($at -lt $here.operands.Count) { $here.operands[$at].words }
        else { $flags }
    $found | Where-Object { $_.name -like "$word*" } | ForEach-Object {
        $means = if ($_.means) { $_.means } else { $_.name }
        [System.Management.Automation.CompletionResult]::new($_.name, $_.name, 'ParameterValue', $means)
    }
}
`;
}
