<#
.SYNOPSIS
Installs Callmend as one file, for Windows on x64. Save it, read it, run it.
.DESCRIPTION
Nothing is placed before its SHA-256 has been compared with the release's SHA256SUMS. It asks no questions, changes no
variable, and does not overwrite a command that is not Callmend.
.EXAMPLE
powershell -ExecutionPolicy Bypass -File install.ps1 -To C:\Tools
#>
param(
  # Where callmend.exe goes.
  [string] $To = $(if ($env:CALLMEND_TO) { $env:CALLMEND_TO } else { Join-Path $env:LOCALAPPDATA 'Programs\Callmend' }),
  # Where the files of the release are; a release fills it in.
  [string] $From = $env:CALLMEND_FROM,
  # Which version; a release fills it in.
  [string] $Version = $env:CALLMEND_VERSION
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$releaseVersion = ''
$releaseAddress = ''

function Stop-Install([string] $Message, [int] $Code = 1) {
  [Console]::Error.WriteLine("install.ps1: $Message")
  exit $Code
}

if (-not $From) { $From = $releaseAddress }
if (-not $Version) { $Version = $releaseVersion }
if (-not $From) { Stop-Install 'this copy belongs to no release: say with -From where the files are' 2 }
if ($Version -notmatch '^[0-9A-Za-z.+-]+$') { Stop-Install 'say with -Version which version is meant' 2 }
if ($From -notmatch '^(https://|http://(127\.0\.0\.1|localhost)[:/])') {
  Stop-Install "cannot use -From ${From}: allowed: https://..." 2
}
# Windows on ARM runs it as well.
if (-not [Environment]::Is64BitOperatingSystem) { Stop-Install 'there is no executable for 32-bit Windows' }
$name = "callmend-$Version-windows-x64.exe"
$target = Join-Path $To 'callmend.exe'

# Whatever is there under that name must be Callmend; it is looked into, not run.
if (Test-Path -LiteralPath $target) {
  $isFile = Test-Path -LiteralPath $target -PathType Leaf
  if (-not ($isFile -and (Select-String -LiteralPath $target -Pattern 'callmendBuild' -SimpleMatch -Quiet))) {
    Stop-Install "$target is there and is not Callmend; choose another folder with -To"
  }
}

[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
$null = New-Item -ItemType Directory -Path $work
try {
  $sums = Join-Path $work 'SHA256SUMS'
  $file = Join-Path $work 'callmend.exe'
  Invoke-WebRequest -UseBasicParsing -Uri "$From/SHA256SUMS" -OutFile $sums
  $rows = @(Get-Content -LiteralPath $sums | Where-Object { ($_ -split '\s+\*?', 2)[1] -eq $name })
  if ($rows.Count -ne 1) { Stop-Install "the release has no $name" }
  $wanted = ($rows[0] -split '\s+')[0]
  Invoke-WebRequest -UseBasicParsing -Uri "$From/$name" -OutFile $file
  $found = (Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash
  if ($found -ne $wanted) {
    Stop-Install "$name is not what the release promises (SHA-256 $found, not $wanted); nothing was placed"
  }
  # It has to start here before it takes the place of one that does.
  $says = & $file version
  if ($LASTEXITCODE -ne 0 -or $says -ne $Version) { Stop-Install "$name does not start here; nothing was placed" }
  $null = New-Item -ItemType Directory -Force -Path $To
  Move-Item -LiteralPath $file -Destination $target -Force
  Write-Output "callmend $Version is in $target"
  if (($env:PATH -split ';') -notcontains $To) { Write-Output "Its folder is not in PATH: run it as $target, or add the folder." }
} catch {
  Stop-Install "$_"
} finally {
  Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue
}
