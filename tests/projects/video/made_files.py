"""What real recorders, phones and editors produce, as commands, and what must become of it.

Each row has the ffmpeg arguments that make a file and the right values, which follow from them:

- The picture has four quarters, `RED GREEN / BLUE GREY`, given as RGB; so these are the colours to be
  seen, whatever the codec. `QUARTERS` names their order: top left, top right, bottom left, bottom right.
- The tone has an amplitude of 0.1 in both channels near 1 kHz, where the K-weighting of EBU R 128 adds
  0.7 dB, which its constant of -0.691 takes away: 10 lg(0.1²/2 + 0.1²/2) = -20 LUFS. For other layouts:
  10 lg(Σ w·a²/2), with w = 1.41 for surrounds and 0 for LFE.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests import clips

Colour = tuple[int, int, int]
RED, GREEN, BLUE, GREY = (192, 48, 48), (48, 192, 48), (48, 48, 192), (192, 192, 192)
QUARTERS = (RED, GREEN, BLUE, GREY)


def picture(size: str = "160x96", rate: str = "25", seconds: str = "1", *colours: str) -> str:
    """A source of ffmpeg with the four quarters, as RGB."""
    width, height = (int(side) for side in size.split("x"))
    red, green, blue, grey = colours or ("0xC03030", "0x30C030", "0x3030C0", "0xC0C0C0")
    half, lower = width // 2, height // 2
    return (
        f"-f lavfi -i color={red}:s={size}:r={rate}:d={seconds},format=gbrp,"
        f"drawbox={half}:0:{width}:{lower}:{green}:fill,"
        f"drawbox=0:{lower}:{half}:{height}:{blue}:fill,"
        f"drawbox={half}:{lower}:{width}:{height}:{grey}:fill"
    )


def tone(*amplitudes: float, layout: str = "", seconds: str = "1", samples: int = 48000) -> str:
    """A source of ffmpeg with a tone for each channel, near 1 kHz and each at another frequency."""
    waves = [
        f"{amplitude}*sin({2 * (980 + 20 * n)}*PI*t)" for n, amplitude in enumerate(amplitudes)
    ]
    named = f":c={layout}" if layout else ""
    return f"-f lavfi -i aevalsrc='{'|'.join(waves)}':d={seconds}:s={samples}{named}"


def converted(matrix: str, primaries: str, transfer: str, to: str = "yuv420p") -> str:
    """A filter that converts RGB with the matrix, and names the colours."""
    named = f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    return (
        f"-vf scale=out_color_matrix={matrix.removesuffix('nc')}:out_range=tv,format={to},{named}"
    )


def hevc(matrix: str, primaries: str, transfer: str, more: str = "") -> str:
    """10 bit, converted and named."""
    names = f"colorprim={primaries}:transfer={transfer}:colormatrix={matrix}{more}"
    return (
        f"{converted(matrix, primaries, transfer, to='yuv420p10le')} -c:v libx265 -preset ultrafast "
        f"-x265-params log-level=none:{names}"
    )


P, T = picture(), tone(0.1, 0.1)
# With large frames, for files that are cut.
BUSY = "-f lavfi -i testsrc2=s=160x96:r=25:d=2"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
B_FRAMES = "-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p"
HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p"
AAC, PCM = "-c:a aac -b:a 256k", "-c:a pcm_s16le"

Alteration = Callable[[bytes], bytes]


@dataclass(frozen=True)
class MadeFile:
    """A file named `file`, made by `made` from the files of the rows in `of` (as inputs before its
    own) and then changed by `altered`.

    Right is: refused with the words `refused`, or taken with `seconds` (give or take `within`),
    `size`, the colours `seen` at its beginning and `seen_last` at its end (None where they do not
    follow from the command), `lufs` in the video (None for silence) and the note `told`.
    """

    name: str
    file: str
    made: str
    seconds: float = 1.0
    within: float = 0.06
    size: tuple[int, int] = (160, 96)
    seen: tuple[Colour, ...] | None = QUARTERS
    colour_within: int = 10
    lufs: float | None = -20.0
    told: str = ""
    refused: str = ""
    of: tuple[str, ...] = ()
    altered: Alteration | None = None
    turned: tuple[int, int] | None = None


def cut(share: float) -> Alteration:
    return lambda whole: whole[: int(len(whole) * share)]


def without_last(size: int) -> Alteration:
    return lambda whole: whole[:-size]


def followed_by_garbage(whole: bytes) -> bytes:
    return whole + bytes(range(256)) * 40


def damaged_in_the_middle(whole: bytes) -> bytes:
    """Between the first keyframe and the index at the end."""
    start, length = len(whole) * 45 // 100, len(whole) // 20
    return whole[:start] + b"\x55" * length + whole[start + length :]


def first_sound_renamed(whole: bytes) -> bytes:
    return whole.replace(b"mp4a", b"wxyz", 1)


def as_dolby_vision(whole: bytes) -> bytes:
    """Adds the configuration of profile 8.4 (`dvvC`) to the sample entry, as phones write it."""
    box = (32).to_bytes(4, "big") + b"dvvC" + bytes([1, 0, 8 << 1, (6 << 3) | 0b101, 4 << 4])
    box += bytes(32 - len(box))
    place = whole.index(b"hvcC") - 4
    place += int.from_bytes(whole[place : place + 4], "big")
    grown = bytearray(whole[:place] + box + whole[place:])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1"):
        at = grown.index(name) - 4
        size = int.from_bytes(grown[at : at + 4], "big") + len(box)
        grown[at : at + 4] = size.to_bytes(4, "big")
    return bytes(grown)


ROWS = [
    # Codecs and containers.
    MadeFile("h264", "h264.mp4", f"{P} {T} {H264} {AAC}"),
    MadeFile("h264 with b-frames", "b.mp4", f"{P} {T} {B_FRAMES} {AAC}"),
    MadeFile("h264, index first", "fast.mp4", f"{P} {T} {H264} {AAC} -movflags +faststart"),
    MadeFile("h264 4:4:4", "444.mkv", f"{P} {T} -c:v libx264 -pix_fmt yuv444p {AAC}"),
    MadeFile("hevc", "hevc.mp4", f"{P} {T} {HEVC} -tag:v hvc1 {AAC}"),
    MadeFile("hevc, 10 bit without tags", "ten.mp4", f"{P} {T} {HEVC}10le {AAC}"),
    MadeFile(
        "vp8", "vp8.webm", f"{P} {T} -c:v libvpx -deadline realtime -b:v 1M -c:a libvorbis"
    ),
    MadeFile(
        "vp9", "vp9.webm", f"{P} {T} -c:v libvpx-vp9 -deadline realtime -pix_fmt yuv420p -c:a libopus"
    ),
    MadeFile("av1", "av1.mp4", f"{P} {T} -c:v libaom-av1 -cpu-used 8 -lag-in-frames 0 -pix_fmt yuv420p {AAC}"),
    MadeFile("mpeg4 in avi", "mpeg4.avi", f"{P} {T} -c:v mpeg4 -q:v 2 -c:a libmp3lame"),
    MadeFile("h264 in avi", "h264.avi", f"{P} {T} {H264} -c:a libmp3lame"),
    MadeFile("motion jpeg", "mjpeg.mov", f"{P} {T} -c:v mjpeg -q:v 2 {PCM}"),
    MadeFile("prores", "prores.mov", f"{P} {T} -c:v prores_ks {PCM}"),
    MadeFile("v210", "v210.mov", f"{P} {T} -c:v v210 {PCM}"),
    MadeFile("animation", "qtrle.mov", f"{P} {T} -c:v qtrle {PCM}"),
    MadeFile("ffv1", "ffv1.mkv", f"{P} {T} -c:v ffv1 -pix_fmt yuv420p -c:a flac"),
    MadeFile("mpeg2 program", "ps.mpg", f"{P} {T} -c:v mpeg2video -q:v 2 -c:a mp2", within=0.1),
    MadeFile("mpeg2 transport", "ac3.ts", f"{P} {T} -c:v mpeg2video -q:v 2 -c:a ac3", within=0.1),
    MadeFile("h264 transport", "h264.ts", f"{P} {T} {H264} {AAC}", within=0.1),
    MadeFile("hevc transport", "hevc.ts", f"{P} {T} {HEVC} {AAC}", within=0.1),
    MadeFile("wmv", "wmv.wmv", f"{P} {T} -c:v wmv2 -q:v 2 -c:a wmav2", within=0.1),
    MadeFile("flv", "flv.flv", f"{P} {tone(0.1, 0.1, samples=44100)} -c:v flv -q:v 2 -c:a libmp3lame", within=0.1),
    MadeFile("theora", "ogv.ogv", f"{P} {T} -c:v libtheora -q:v 9 -c:a libvorbis"),
    MadeFile("fragmented", "frag.mp4", f"{P} {T} {H264} {AAC} -movflags frag_keyframe+empty_moov"),
    MadeFile("live recording", "live.webm", f"{P} -c:v libvpx -deadline realtime -b:v 1M -live 1", lufs=None),
    MadeFile("timecode track", "tc.mov", f"{P} {T} {H264} {PCM} -timecode 10:00:00:00"),
    # Rates and times.
    MadeFile("one frame a second", "slow.mp4", f"{picture(rate='1', seconds='5')} {B_FRAMES}", 5, lufs=None),
    MadeFile("a fifth of a frame a second", "slower.mp4", f"{picture(rate='0.2', seconds='30')} {B_FRAMES}", 30, lufs=None),
    MadeFile("a fifth, in hevc", "slower.mkv", f"{picture(rate='0.2', seconds='30')} {HEVC}", 30, lufs=None),
    MadeFile("60 frames a second", "sixty.mp4", f"{picture(rate='60')} {T} {H264} {AAC}"),
    MadeFile("29.97 frames a second", "ntsc.mp4", f"{picture(rate='30000/1001', seconds='1.001')} {T} {H264} {AAC}"),
    MadeFile("variable rate", "vfr.mkv", f"{P} {T} -vf \"select='not(mod(n,5))'\" -fps_mode vfr {H264} {AAC}"),
    MadeFile("begins at ten hours", "late.mkv", "-c copy -output_ts_offset 36000", of=("h264",)),
    MadeFile("begins at ten hours, transport", "late.ts", "-c copy -output_ts_offset 36000", of=("h264",), within=0.1),
    MadeFile("begins at ten hours, mp4", "late.mp4", "-c copy -output_ts_offset 36000 -use_editlist 0", of=("h264",), within=0.1),
    MadeFile("two seconds", "two.mp4", f"{picture(seconds='2')} {tone(0.1, 0.1, seconds='2')} {B_FRAMES} {AAC}", 2),
    MadeFile("cut by an edit list", "edited.mp4", "-ss 0.6 -i {0} -c copy", 1.4, of=("two seconds",)),
    MadeFile("one frame", "one.mp4", f"{P} -frames:v 1 {H264}", 0.04, 0.01, lufs=None),
    MadeFile("one frame, vp9", "one.webm", f"{P} -frames:v 1 -c:v libvpx-vp9 -deadline realtime -pix_fmt yuv420p", 0.04, 0.01, lufs=None),
    MadeFile("one frame with sound", "still.mkv", f"{picture(seconds='0.04')} {T} {H264} {PCM}"),
    MadeFile("a slide every 20 seconds", "slides.mp4", f"{picture(rate='1/20', seconds='40')} {H264}", 40, lufs=None),
    MadeFile("a gap of a minute and a second", "gap.mp4", f"{picture(seconds='0.08')} -vf setpts=N*61/TB -fps_mode vfr {H264}", refused="claims to show one frame for 1 minute"),
    MadeFile("claims hours", "hours.mp4", f"{picture(seconds='0.08')} -vf setpts=N*7000/TB -fps_mode vfr {H264}", refused="claims to show one frame for 117 minutes"),
    MadeFile("claims hours, matroska", "hours.mkv", f"{picture(seconds='0.08')} -vf setpts=N*7000/TB -fps_mode vfr {H264}", refused="claims to show one frame for 117 minutes"),
    # Tracks of different lengths. Loudness is the mean of blocks of 0.4 s that begin every 0.1 s, those
    # of silence apart: a quarter, two, three and twice four quarters of the tone are -1.5 LU.
    MadeFile("picture begins late", "late-picture.mkv", f"{tone(0.1, 0.1, seconds='2')} -itsoffset 1 {P} {H264} {PCM}", 2),
    MadeFile("sound begins late", "late-sound.mkv", f"{P} -itsoffset 0.5 {tone(0.1, 0.1, seconds='0.5')} {H264} {PCM}", lufs=-21.5),
    MadeFile("sound ends early", "short-sound.mkv", f"{P} {tone(0.1, 0.1, seconds='0.6')} {H264} {PCM}", lufs=-21.3),
    MadeFile("sound ends late", "long-sound.mkv", f"{P} {tone(0.1, 0.1, seconds='2')} {H264} {PCM}", 2),
    MadeFile("subtitle outlasts", "sub.mkv", "-i {subtitle} -c copy -c:s srt", of=("h264",)),
    MadeFile("second sound outlasts", "second.mp4", f"{tone(0.1, 0.1, seconds='20')} -map 0 -map 1 -c copy {AAC}", of=("h264",)),
    # Damage.
    MadeFile("followed by garbage", "garbage.mp4", "-c copy -movflags +faststart", of=("h264",), altered=followed_by_garbage),
    MadeFile("damaged in the middle", "damaged.mp4", "-c copy", 2, of=("two seconds",), altered=damaged_in_the_middle, lufs=-20),
    MadeFile("only sound cut off", "sound-cut.mp4", f"{P} {tone(0.1, 0.1, seconds='2')} {H264} {AAC} -movflags +faststart", 1.9, 0.1, altered=without_last(2_000)),
    MadeFile("cut short", "cut.mp4", "-c copy -movflags +faststart", of=("two seconds",), altered=cut(0.6), refused="is incomplete"),
    MadeFile("cut before its index", "headless.mp4", "-c copy", of=("two seconds",), altered=cut(0.6), refused="is incomplete"),
    MadeFile("fragmented, cut short", "cut-frag.mp4", f"{BUSY} {H264} -movflags frag_keyframe+empty_moov", altered=cut(0.6), refused="is incomplete"),
    MadeFile("matroska, cut short", "cut.mkv", "-c copy", of=("two seconds",), altered=cut(0.6), refused="is incomplete"),
    MadeFile("slow, cut short", "cut-slow.mp4", f"-f lavfi -i testsrc2=s=160x96:r=1:d=5 {B_FRAMES} -movflags +faststart", altered=cut(0.7), refused="is incomplete"),
    MadeFile("avi, cut short", "cut.avi", f"{picture(seconds='2')} {T} -c:v mpeg4 -q:v 2 {PCM}", altered=cut(0.6), refused="is incomplete"),
    MadeFile("wmv, cut short", "cut.wmv", f"{picture(seconds='2')} {T} -c:v wmv2 -q:v 2 -c:a wmav2", altered=cut(0.6), refused="is incomplete"),
    MadeFile("flv, cut short", "cut.flv", f"{picture(seconds='4')} -c:v flv -q:v 2", altered=cut(0.5), refused="is incomplete"),
    MadeFile("no picture", "sound.m4a", f"{T} {AAC}", refused="has sound but no picture"),
    MadeFile("a picture", "picture.mp4", f"{P} -frames:v 1 -f image2 -c:v png", refused="is not a video"),
    MadeFile("an animation", "animation.gif", f"{P}", refused="is not a video"),
    MadeFile("nothing", "nothing.mp4", f"{P} {H264}", altered=cut(0), refused="is empty"),
    # Geometry. ffmpeg turns counter-clockwise by the angle that it is given.
    MadeFile("turned by 90", "r90.mp4", "-display_rotation 90 -i {0} -c copy", size=(96, 160), seen=(GREEN, GREY, RED, BLUE), of=("h264",)),
    MadeFile("turned by 180", "r180.mp4", "-display_rotation 180 -i {0} -c copy", seen=(GREY, BLUE, GREEN, RED), of=("h264",)),
    MadeFile("turned by 270", "r270.mov", "-display_rotation 270 -i {0} -c copy", size=(96, 160), seen=(BLUE, RED, GREY, GREEN), of=("h264",)),
    MadeFile("mirrored", "hflip.mp4", "-display_hflip -i {0} -c copy", seen=(GREEN, RED, GREY, BLUE), of=("h264",)),
    MadeFile("upside down", "vflip.mp4", "-display_vflip -i {0} -c copy", seen=(BLUE, GREY, RED, GREEN), of=("h264",)),
    MadeFile("wide pixels", "sar.mp4", f"{P} {T} -vf setsar=4/3 {H264} {AAC}", size=(213, 96)),
    MadeFile("wide pixels, turned", "sar90.mp4", "-display_rotation 90 -i {0} -c copy", size=(96, 213), seen=(GREEN, GREY, RED, BLUE), of=("wide pixels",)),
    MadeFile("odd size", "odd.mkv", f"{picture('161x97')} {T} -c:v ffv1 -pix_fmt yuv444p {PCM}", size=(161, 97)),
    MadeFile("one pixel wide", "narrow.mov", f"{picture('1x96')} {T} -c:v png {PCM}", size=(1, 96), seen=None),
    MadeFile("interlaced", "interlaced.ts", f"{P} {T} -vf setfield=tff -c:v mpeg2video -q:v 2 -flags +ildct+ilme -c:a mp2", within=0.1),
    MadeFile("wide part", "wide.ts", f"{P} {H264}", lufs=None, within=0.1),
    MadeFile("tall part", "tall.ts", f"{picture('96x160')} {H264}", lufs=None, size=(96, 160), within=0.1),
    MadeFile("turns in mid-recording", "turns.ts", "", 2, 0.1, of=("wide part", "tall part"), lufs=None, turned=(96, 160)),
    # Colours.
    MadeFile("bt.709", "709.mp4", f"{P} {T} {converted('bt709', 'bt709', 'bt709')} {H264} {AAC}"),
    MadeFile("bt.601", "601.mp4", f"{P} {T} {converted('smpte170m', 'smpte170m', 'smpte170m')} {H264} {AAC}"),
    MadeFile("full range", "full.mp4", f"{P} {T} {converted('bt709', 'bt709', 'bt709').replace('out_range=tv', 'out_range=pc')} {H264} {AAC}"),
    MadeFile("rgb", "rgb.mkv", f"{P} {T} -c:v libx264rgb -preset ultrafast {PCM}"),
]  # fmt: skip

# HDR: what BT.2100 makes of the RGB of the command, in light (HLG: inverse OETF, then gamma 1.2 and
# 1,000 cd/m²; PQ: its EOTF), with 100 cd/m² as 1; turned to BT.709 by the matrix of BT.2087; each times
# hable(m) / hable(10) / m, where m is the largest of the three and hable(x) =
# (x(0.15x + 0.05) + 0.004) / (x(0.15x + 0.5) + 0.06) - 1/15; then to the power of 1/2.4, times 255.
HLG_SEEN = ((217, 0, 21), (0, 200, 0), (0, 33, 199), (194, 194, 194))
PQ = picture("160x96", "25", "1", "0x804040", "0x408040", "0x404080", "0x808080")
PQ_SEEN = ((178, 0, 38), (0, 160, 0), (0, 43, 159), (154, 154, 154))
HLG_NAMES = ("bt2020nc", "bt2020", "arib-std-b67")
PQ_NAMES = ("bt2020nc", "bt2020", "smpte2084")
MASTERED = ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
IN_HLG = converted(*HLG_NAMES, to="yuv420p10le")
HALF_NAMED = (
    "-vf scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,setparams=colorspace=unknown:"
    "color_trc=arib-std-b67 -c:v libx265 -preset ultrafast "
    "-x265-params log-level=none:transfer=arib-std-b67"
)
TO_2020 = "zscale=pin=709:tin=709:min=gbr:rin=full:p=2020:t=2020_10:m=2020_ncl:r=limited,format=yuv420p10le"
ROWS += [
    MadeFile("hlg", "hlg.mp4", f"{P} {T} {hevc(*HLG_NAMES)} {AAC}", seen=HLG_SEEN, colour_within=12),
    MadeFile("hlg, vp9", "hlg.mkv", f"{P} {T} {IN_HLG} -c:v libvpx-vp9 -deadline realtime -c:a libopus", seen=HLG_SEEN, colour_within=12),
    MadeFile("hlg, av1", "hlg-av1.mp4", f"{P} {T} {IN_HLG} -c:v libaom-av1 -cpu-used 8 -lag-in-frames 0 {AAC}", seen=HLG_SEEN, colour_within=12),
    MadeFile("hlg, only its curve named", "hlg-half.mp4", f"{P} {T} {HALF_NAMED} {AAC}", seen=HLG_SEEN, colour_within=12),
    MadeFile("dolby vision 8.4", "dolby.mov", "-c copy", seen=HLG_SEEN, colour_within=12, of=("hlg",), altered=as_dolby_vision),
    MadeFile("pq", "pq.mp4", f"{PQ} {T} {hevc(*PQ_NAMES)} {AAC}", seen=PQ_SEEN, colour_within=12),
    MadeFile("pq of a film", "pq-film.mkv", f"{PQ} {T} {hevc(*PQ_NAMES, MASTERED)} {AAC}", seen=PQ_SEEN, colour_within=12),
    MadeFile("bt.2020, not hdr", "2020.mp4", f"{P} {T} -vf {TO_2020} -c:v libx265 -preset ultrafast -x265-params log-level=none:colorprim=bt2020:transfer=bt2020-10:colormatrix=bt2020nc {AAC}"),
    # Sound. 10 lg((0.2² + 0.2² + 0.2² + 1.41·0.1² + 1.41·0.1²) / 2) = -11.3
    MadeFile("mono", "mono.mp4", f"{P} {tone(0.1)} {H264} {AAC}", lufs=-23),
    MadeFile("5.1", "51.mp4", f"{P} {tone(0.2, 0.2, 0.2, 0.1, 0.1, 0.1, layout='5.1')} {H264} {AAC}", lufs=-11.3),
    MadeFile("5.1, ac-3", "51.ts", f"{P} {tone(0.2, 0.2, 0.2, 0.1, 0.1, 0.1, layout='5.1')} {H264} -c:a ac3 -b:a 448k", lufs=-11.3, within=0.1),
    MadeFile("5.1, quiet but for the back", "back.mkv", f"{P} {tone(0.01, 0.01, 0.01, 0, 0.2, 0.2, layout='5.1')} {H264} -c:a flac", lufs=-12.5),
    MadeFile("5.1, a voice in the middle", "voice.mkv", f"{P} {tone(0, 0, 0.2, 0, 0, 0, layout='5.1')} {H264} -c:a flac", lufs=-17),
    MadeFile("7.1", "71.mkv", f"{P} {tone(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, layout='7.1')} {H264} -c:a flac", lufs=-13.7),
    MadeFile("quad", "quad.mkv", f"{P} {tone(0.1, 0.1, 0.1, 0.1, layout='quad')} {H264} {PCM}", lufs=-16.2),
    MadeFile("3.0", "30.mkv", f"{P} {tone(0.1, 0.1, 0.1, layout='3.0')} {H264} -c:a flac", lufs=-18.2),
    MadeFile("11 channels", "eleven.mov", f"{P} {tone(*[0.1] * 11)} {H264} {PCM}", lufs=-12.6),
    MadeFile("8 kHz", "8k.mov", f"{P} {tone(0.1, samples=8000)} {H264} -c:a pcm_mulaw", lufs=-23),
    MadeFile("192 kHz", "192k.mkv", f"{P} {tone(0.1, 0.1, samples=192000)} {H264} -c:a flac"),
    MadeFile("two sounds", "sounds.mp4", f"{P} {tone(0.4, 0.4)} {T} -map 0 -map 1 -map 2 {H264} {AAC}", lufs=-8),
    MadeFile("first sound without decoder", "second-used.mp4", "-map 0 -c copy", of=("two sounds",), altered=first_sound_renamed, told="Its first sound track cannot be decoded. The next one is used."),
    MadeFile("only sound without decoder", "unheard.mp4", "-c copy", of=("h264",), altered=first_sound_renamed, lufs=None, told="Its sound cannot be decoded. It will be silent in the video."),
    MadeFile("encrypted sound", "encrypted.mp4", "-c copy", of=("h264",), altered=lambda whole: whole.replace(b"mp4a", b"enca", 1), lufs=None, told="Its sound cannot be decoded. It will be silent in the video."),
]  # fmt: skip
BY_NAME = {row.name: row for row in ROWS}


@cache
def make(name: str) -> Path:
    """The path of the file, made once."""
    row = BY_NAME[name]
    if not row.made:
        return clips.written(row.file, b"".join(make(one).read_bytes() for one in row.of))
    path = clips.filmed(row.file, _arguments(row))
    return clips.written(row.file, row.altered(path.read_bytes())) if row.altered else path


def _arguments(row: MadeFile) -> list[str]:
    paths = [str(make(name)) for name in row.of]
    text = row.made.format(*paths, subtitle=_subtitle())
    opened = [] if "{0}" in row.made else [part for path in paths for part in ("-i", path)]
    return [*opened, *shlex.split(text)]


def _subtitle() -> Path:
    return clips.written("caption.srt", b"1\n00:00:00,100 --> 00:01:00,000\nHello\n")
