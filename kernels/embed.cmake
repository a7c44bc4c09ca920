# cmake -DOUT=FILE "-DSOURCES=A;B" -P embed.cmake: writes the table of
# kernels.h. Texts become arrays of bytes, which may be of any length.
set(text "/* Made by embed.cmake. */\n#include \"kernels.h\"\n")
set(rows "")
foreach(source IN LISTS SOURCES)
	get_filename_component(name ${source} NAME)
	string(MAKE_C_IDENTIFIER ${name} symbol)
	file(READ ${source} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(APPEND text "static const char ${symbol}[] = {${bytes}0};\n")
	string(APPEND rows "\t{ \"${name}\", ${symbol} },\n")
endforeach()
string(APPEND text "const struct arc_kernel_source arc_kernel_sources[] = {\n"
	"${rows}\t{ 0, 0 },\n};\n")
file(WRITE ${OUT} "${text}")
